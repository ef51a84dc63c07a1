"""The process that loads the modules of a developer's chain, brings it up to date, and serves it.

Started by the supervisor: `python -m tongbao.cli.dev.worker FOLDER SOCKET NAME...`. Standard input
says `go` once the folder is free, and its end means that the supervisor is gone.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import traceback
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import IO, Final

import msgspec

import tongbao
from tongbao.cli.dev import chain as developer
from tongbao.cli.dev.replay import finish, replay
from tongbao.cli.dev.speech import Failed, Loaded, Ready, Replayed, Said
from tongbao.engines.solo import Options
from tongbao.index.history import Index
from tongbao.kernel import Registry
from tongbao.kernel.genesis import chain_id
from tongbao.node.server import address_of, serve, server_of
from tongbao.node.settings import Settings
from tongbao.sdk.announced import ModuleError, registry_of, registry_with
from tongbao.sdk.folder import Folder
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.opening import AUTHORITY, open_chain
from tongbao.sdk.packages import module_hash
from tongbao.sdk.presence import present

CODE_FILE: Final = "code.txt"
GRACE_MS: Final = 2_000
OURS: Final = ("<frozen ", str(Path(tongbao.__file__).parent))
"""Where frames of a traceback are that say nothing to the author of a module."""


class Worker:
    """One life: load, wait for the folder, replay, serve."""

    def __init__(self, folder: Path, descriptor: int, names: tuple[str, ...], out: IO[str]) -> None:
        """Take what the supervisor hands over; `out` leads to it."""
        self._folder = folder
        self._listening = socket.socket(fileno=descriptor)
        self._names = names
        self._out = out

    def say(self, said: Said) -> None:
        """Tell the supervisor."""
        self._out.write(msgspec.json.encode(said).decode() + "\n")
        self._out.flush()

    def run(self) -> int:
        """Do it all; the exit code."""
        try:
            registry = self._load()
            self.say(Loaded())
            if not sys.stdin.readline():
                return 0
            threading.Thread(target=_end_with_supervisor, daemon=True).start()
            replayed = self._bring_up_to_date(registry)
            self._serve(replayed)
        except Exception as error:
            self.say(Failed(_in_words(error), _trace(error)))
            return 1
        return 0

    def _load(self) -> Registry:
        """The chain's modules; one that it was not begun with is refused. Raises ModuleError."""
        place = Folder(self._folder)
        if not place.exists:
            return registry_with(self._names)
        lines = place.genesis().modules
        missing = [name for name in self._names if name not in {line.name for line in lines}]
        if missing:
            raise ModuleError(
                f"the chain in {self._folder} was begun without module {missing[0]}",
                "take a new folder",
            )
        return registry_of(lines)

    def _bring_up_to_date(self, registry: Registry) -> Replayed | None:
        """Begin the chain, or play it again if other code has decided it."""
        place = Folder(self._folder)
        code = _code_of(registry)
        known = self._folder / CODE_FILE
        replayed = None
        if not place.exists:
            developer.begin(self._folder, registry)
        else:
            finish(self._folder)
            has_blocks = (self._folder / "log").exists()
            if has_blocks and (not known.exists() or known.read_text() != code):
                signer = Keystore(place.keys).unlock(AUTHORITY, developer.PASSPHRASE)
                replayed = replay(self._folder, place.genesis(), registry, signer)
        known.write_text(code)
        return replayed

    def _serve(self, replayed: Replayed | None) -> None:
        settings = Settings(log_level="warning", log_format="text", grace_ms=GRACE_MS)
        options = Options(queue_transactions=settings.queue_transactions)
        genesis = Folder(self._folder).genesis()
        with ExitStack() as open_things:
            chain = open_things.enter_context(
                open_chain(self._folder, passphrase=developer.PASSPHRASE, options=options)
            )
            developer.fund(chain, self._folder)
            address = address_of(self._listening)
            index = open_things.enter_context(Index.open(None, chain.id))
            server = server_of(chain, settings, index)
            open_things.enter_context(server.capture_signals())
            open_things.enter_context(present(self._folder, chain_id(genesis), address))
            people = tuple(developer.people(chain))
            self.say(Ready(chain.id, chain.head().height, people, replayed))
            serve(server, self._listening)


def _code_of(registry: Registry) -> str:
    """What decides: a hash over the code of all modules."""
    lines = (f"{module.name} {module_hash(module)}\n" for module in registry.modules)
    return sha256("".join(lines).encode()).hexdigest()


def _end_with_supervisor() -> None:
    """End as by SIGTERM when standard input ends."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _in_words(error: Exception) -> str:
    return str(error) if hasattr(error, "exit_code") else f"{type(error).__name__}: {error}"


def _trace(error: Exception) -> str:
    """The traceback of what a module's own code has raised."""
    cause = error.__cause__ if isinstance(error, ModuleError) else error
    if cause is None or hasattr(cause, "exit_code"):
        return ""
    found = traceback.TracebackException.from_exception(cause)
    frames = [frame for frame in found.stack if not frame.filename.startswith(OURS)]
    found.stack = traceback.StackSummary.from_list(frames)
    return "".join(found.format(chain=False))


def main() -> int:
    """Run; whatever the modules print goes to standard error, for the developer to see."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    folder, descriptor, *names = sys.argv[1:]
    return Worker(Path(folder), int(descriptor), tuple(names), out).run()


if __name__ == "__main__":
    sys.exit(main())
