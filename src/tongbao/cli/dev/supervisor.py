"""Holds the port and one worker, and starts another whenever the code has changed."""

from __future__ import annotations

import queue
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

import msgspec
from msgspec import Struct

from tongbao.cli.dev.code import Fingerprint, Source, environment
from tongbao.cli.dev.speech import GO, Failed, Loaded, Ready, Said
from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.sdk.announced import ModuleError

POLL_S: Final = 0.3
LOAD_S: Final = 60.0
READY_S: Final = 600.0
STOP_S: Final = 15.0
LINES_LIMIT: Final = 1_000
GONE: Final = "the process ended without a word"

_decoder: Final = msgspec.json.Decoder(Said)


class Version(Struct, frozen=True):
    """One state of the code: its number, and the folder of its copies."""

    number: int
    copies: Path
    projects: tuple[Path, ...]


class Told(Struct, frozen=True):
    """What the supervisor tells about an edit: the chain as it is served now, or what is wrong."""

    ready: Ready | None
    failed: Failed | None = None


class Process:
    """One worker, seen from the supervisor."""

    def __init__(
        self, folder: Path, listening: socket.socket, sources: list[Source], version: Version
    ) -> None:
        """Start it; it loads the code and waits."""
        self.version = version
        self._sources = sources
        names = [source.name for source in sources]
        descriptor = listening.fileno()
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tongbao.cli.dev.worker"),
                *(str(folder), str(descriptor), *names),
            ],
            env=environment(list(version.projects), set(names)),
            pass_fds=(descriptor,),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # so that Ctrl-C reaches the supervisor alone
        )
        self._said: queue.Queue[Said | None] = queue.Queue(LINES_LIMIT)
        self._pump(self._process.stdout, self._hear)
        self._pump(self._process.stderr, self._pass_on)

    def _pump(self, stream: IO[str] | None, each: Callable[[str], None]) -> None:
        assert stream is not None

        def run() -> None:
            for line in stream:
                each(line)
            if each == self._hear:
                self._said.put(None)

        threading.Thread(target=run, daemon=True).start()

    def _hear(self, line: str) -> None:
        self._said.put(_decoder.decode(line))

    def _pass_on(self, line: str) -> None:
        sys.stderr.write(self.original(line))
        sys.stderr.flush()

    def original(self, text: str) -> str:
        """A text that names the files that one edits, not those of the copies."""
        for source in self._sources:
            text = source.original(text, self.version.copies)
        return text

    def loaded(self) -> Failed | None:
        """Wait until the code is imported; None when all is well."""
        said = self._next(LOAD_S)
        return None if isinstance(said, Loaded) else self._failure(said, LOAD_S)

    def ready(self) -> Ready | Failed:
        """Give it the folder, and wait until the chain is served."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(GO)
            self._process.stdin.flush()
        except BrokenPipeError:
            return Failed(GONE)
        said = self._next(READY_S)
        return said if isinstance(said, Ready) else self._failure(said, READY_S)

    def _next(self, seconds: float) -> Said | None:
        try:
            return self._said.get(timeout=seconds)
        except queue.Empty:
            return Failed(f"not done after {seconds:.0f} seconds")

    def _failure(self, said: Said | None, seconds: float) -> Failed:
        self.stop()
        if not isinstance(said, Failed):
            return Failed(GONE)
        return Failed(self.original(said.error), self.original(said.trace))

    @property
    def has_ended(self) -> bool:
        """Whether it is no more, of its own accord."""
        return self._process.poll() is not None

    def stop(self) -> None:
        """Let it end, as the end of its standard input asks, and see to it."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it may have ended already
            self._process.stdin.close()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Supervisor:
    """One developer's chain, served from when `begin` returns until `stop`."""

    def __init__(
        self, folder: Path, listening: socket.socket, sources: list[Source], copies: Path
    ) -> None:
        """Serve the chain of a folder at a socket; `copies` is a folder for copies of the code."""
        self._folder = folder
        self._listening = listening
        self._sources = sources
        self._copies = copies
        self._count = 0
        self._serving: Process | None = None
        self._seen: list[Fingerprint] = []

    def begin(self) -> Ready:
        """Serve the code as it is. Raises CommandError, ModuleError."""
        self._seen = self._look()
        process = self._start(self._copy())
        said = process.loaded() or process.ready()
        if isinstance(said, Failed):
            text = f"{said.trace}{said.error}" if said.trace else said.error
            raise CommandError(text, "correct it and start again", Exit.CONFIGURATION)
        self._serving = process
        return said

    def edits(self, wait: Callable[[float], object]) -> Told:
        """Wait for the next edit, serve it, and tell. Of a failed one the code before is served."""
        before = self._seen
        while True:
            wait(POLL_S)
            if self._serving is not None and self._serving.has_ended:
                return self._resume(Failed(GONE))
            try:
                now = self._look()
            except ModuleError as error:
                self._seen = []
                if before:
                    return Told(None, Failed(str(error)))
                continue
            # Two looks that agree: whoever saves several files has finished.
            if now == before and now != self._seen:
                self._seen = now
                return self._reload()
            before = now

    def _look(self) -> list[Fingerprint]:
        return [source.fingerprint() for source in self._sources]

    def _copy(self) -> Version:
        self._count += 1
        copies = self._copies / str(self._count)
        projects = tuple(source.copy(copies) for source in self._sources)
        return Version(self._count, copies, projects)

    def _start(self, version: Version) -> Process:
        return Process(self._folder, self._listening, self._sources, version)

    def _reload(self) -> Told:
        """Load the new code beside the old, then let it have the folder."""
        try:
            version = self._copy()
        except (ModuleError, OSError) as error:
            return Told(None, Failed(str(error)))
        process = self._start(version)
        failed = process.loaded()
        if failed is None:
            if self._serving is not None:
                self._serving.stop()
            said = process.ready()
            if isinstance(said, Ready):
                self._take_over(process)
                return Told(said)
            return self._resume(said)
        shutil.rmtree(version.copies, ignore_errors=True)
        return Told(None, failed)

    def _resume(self, failed: Failed) -> Told:
        """Serve the last good code again."""
        assert self._serving is not None
        process = self._start(self._serving.version)
        said = process.loaded() or process.ready()
        if isinstance(said, Failed):
            raise CommandError(
                f"{failed.error}; and the code before can't be served either: {said.error}",
                "start again with another folder",
                Exit.STOPPED,
            )
        self._serving.stop()
        self._serving = process
        return Told(said, failed)

    def _take_over(self, process: Process) -> None:
        if self._serving is not None:
            shutil.rmtree(self._serving.version.copies, ignore_errors=True)
        self._serving = process

    def stop(self) -> None:
        """End the worker, which closes the chain."""
        if self._serving is not None:
            self._serving.stop()
