"""The node of the demonstration: a child process that serves the folder's chain until told to stop.

`python -m tongbao.demo.serving FOLDER PORT` prints its address, or what is wrong, as one line of
JSON, and stops when its standard input ends: at the latest when the process that started it is
gone, however it went.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Final

import msgspec
from msgspec import Struct

from tongbao.demo.failures import EXPECTED, STOPPED, DemoError, unusable
from tongbao.store.closable import Closable

SECRET_FILE: Final = "demo-secret"
LOG_FILE: Final = "node.log"
FREE_PORT: Final = 0
RATE_PER_S: Final = 1_000_000
"""The demonstration sends as fast as it can, from one address."""


class Started(Struct, frozen=True, tag=True):
    """What a node says once it serves; `instead_of` is the port that was taken, else 0."""

    address: str
    instead_of: int = 0


class NotStarted(Struct, frozen=True, tag=True):
    """What a node says that can't serve: what is wrong, what to do, and its exit code."""

    text: str
    advice: str
    exit_code: int


class Node(Closable):
    """A node in a child process. Use it in a `with` statement, or call `close`."""

    def __init__(self, folder: Path, port: int) -> None:
        """Start to serve the chain of a folder, at another port if this one is taken.

        Raises DemoError, OSError.
        """
        self.log = folder / LOG_FILE
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tongbao.demo.serving", str(folder), str(port)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the demonstration, which then stops it
            )
        line = _pipe(self._process.stdout).readline()
        if not line:
            self.close()
            raise DemoError("the node has ended before it served", f"see {self.log}", STOPPED)
        said = msgspec.json.decode(line, type=Started | NotStarted)
        if isinstance(said, NotStarted):
            self.close()
            raise DemoError(said.text, said.advice, said.exit_code)
        self.started = said
        self.address = said.address

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process.poll() is None

    def wait(self, seconds: float | None = None) -> None:
        """Wait until the node ends, at most so long. Raises subprocess.TimeoutExpired."""
        self._process.wait(seconds)

    def close(self) -> None:
        """Let requests end, close the chain, end the process. May be called again."""
        _pipe(self._process.stdin).close()
        self._process.wait()
        _pipe(self._process.stdout).close()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def main(folder: Path, port: int) -> int:
    """The child: open, serve, close. What is wrong with the folder is said on standard output."""
    try:
        _serve(folder, port)
    except EXPECTED as error:
        wrong = unusable(folder, error)
        print(wrong, file=sys.stderr)
        _say(NotStarted(str(wrong), wrong.advice, wrong.exit_code))
        return wrong.exit_code
    return 0


def _say(what: Started | NotStarted) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(what) + b"\n")
    sys.stdout.buffer.flush()


def _serve(folder: Path, port: int) -> None:
    from tongbao.engines.solo import Options
    from tongbao.node.recall import open_index
    from tongbao.node.server import address_of, listen_at, serve, server_of
    from tongbao.node.settings import Settings
    from tongbao.sdk.opening import open_chain
    from tongbao.services.serving.server import ListenError

    settings = Settings(port=port, log_level="warning", rate_per_s=RATE_PER_S)
    try:
        listening, instead_of = listen_at(settings), 0
    except ListenError:
        listening, instead_of = listen_at(Settings(port=FREE_PORT)), port
    options = Options(queue_transactions=settings.queue_transactions)
    secret = (folder / SECRET_FILE).read_text()
    chain = open_chain(folder, passphrase=secret, options=options)
    with listening, chain, open_index(folder, chain.id, settings) as index:
        server = server_of(chain, settings, index)

        def stop_at_the_end() -> None:
            sys.stdin.buffer.read()
            server.should_exit = True

        threading.Thread(target=stop_at_the_end, daemon=True).start()
        _say(Started(address_of(listening), instead_of))
        serve(server, listening)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
