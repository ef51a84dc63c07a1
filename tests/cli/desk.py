"""A folder in which somebody works: commands that end, and programs that go on beside them."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx2
import msgspec

from tests.cli.calling import PASSPHRASE, VARIABLES

PROGRAMS: Final = Path(sys.executable).parent
LONG_S: Final = 120.0


class Running:
    """A program that goes on, and the lines of its standard output."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Read on in threads, so that the program is never held up."""
        self.process = process
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.notes: list[str] = []
        self._noted = threading.Condition()
        self._threads = [threading.Thread(target=each) for each in (self._read, self._read_notes)]
        for thread in self._threads:
            thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def _read_notes(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                with self._noted:
                    self.notes.append(line.rstrip("\n"))
                    self._noted.notify_all()

    def line(self) -> str:
        """The next line of standard output."""
        found = self.lines.get(timeout=LONG_S)
        assert found is not None, ("the program has ended", self.notes)
        return found

    def json(self) -> Any:
        """The next line, which is an object."""
        return msgspec.json.decode(self.line())

    def note(self, part: str) -> str:
        """Wait for a line of standard error with a part."""
        with self._noted:
            found = self._noted.wait_for(
                lambda: next((line for line in self.notes if part in line), None), LONG_S
            )
        assert found is not None, (part, self.notes)
        return found

    def close(self) -> None:
        """Kill it if it runs still, and read to the end."""
        self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join()

    def end(self, number: signal.Signals = signal.SIGINT) -> tuple[int, list[str]]:
        """Stop it by a signal: the exit code, and the lines that were not read yet."""
        self.process.send_signal(number)
        code = self.process.wait(LONG_S)
        rest = []
        while (found := self.lines.get(timeout=LONG_S)) is not None:
            rest.append(found)
        return code, rest


class Desk:
    """Commands in one folder, each a process of its own, with the passphrase at hand."""

    def __init__(self, folder: Path, **environment: str) -> None:
        """Work in a folder; the environment is as given, and no setting of the machine's counts."""
        self.folder = folder
        clean = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        path = f"{PROGRAMS}{os.pathsep}{clean['PATH']}"
        self.environment = {**clean, "PATH": path, "TONGBAO_PASSPHRASE": PASSPHRASE, **environment}

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of Tongbao to its end, whatever it is."""
        return self.program("tongbao", *words)

    def program(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run any program to its end."""
        return subprocess.run(
            words,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONG_S,
        )

    def do(self, *words: str) -> Any:
        """Run a command that succeeds; its JSON object."""
        told = self.run(*words, "--json")
        assert told.returncode == 0, told
        return msgspec.json.decode(told.stdout)

    @contextmanager
    def running(self, *words: str) -> Iterator[Running]:
        """A command of Tongbao that goes on until the `with` statement ends at the latest."""
        process = subprocess.Popen(
            ("tongbao", *words),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running = Running(process)
        try:
            yield running
        finally:
            running.close()

    @contextmanager
    def node(self, *words: str) -> Iterator[tuple[Running, str]]:
        """A node that serves the folder's chain, and its address."""
        with self.running("run", "--port", "0", "--log-level", "error", *words) as running:
            address = running.note("is served at").rpartition(" ")[2]
            assert httpx2.get(f"{address}/livez", timeout=LONG_S).text == "alive\n"
            yield running, address
