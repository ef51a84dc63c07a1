"""Programs of `tongbao` in processes of their own, which say at which address they are asked."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.node.process import ENVIRONMENT
from tests.services.data_agent.users import words_as

START_S: Final = 60
SERVED: Final = re.compile(r"served at (https?://[0-9.:]+)")


class Program:
    """One that runs, and what it says on standard error."""

    def __init__(self, *words: str, user: str | None = None) -> None:
        """Start it, as a user if one is named, and wait until it serves."""
        tongbao = str(Path(sys.executable).with_name("tongbao"))
        self.process = subprocess.Popen(
            (tongbao, *words) if user is None else words_as(user, tongbao, *words),
            env=ENVIRONMENT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._lines: list[str] = []
        self._serves = threading.Event()
        self._reading = threading.Thread(target=self._read)
        self._reading.start()
        assert self._serves.wait(START_S), self.text()
        found = SERVED.search(self.text())
        assert found is not None, self.text()
        self.address = found[1]

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.append(line)
            if SERVED.search(line):
                self._serves.set()
        self._serves.set()

    def text(self) -> str:
        """All that it has said."""
        return "".join(self._lines)

    def kill(self) -> None:
        """End it as a power failure would."""
        self.process.kill()
        self._end()

    def stop(self) -> int:
        """Tell it to stop; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self._end()

    def _end(self) -> int:
        code = self.process.wait(timeout=START_S)
        self._reading.join()
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code


@contextmanager
def program(*words: str, user: str | None = None) -> Iterator[Program]:
    """A program until the `with` statement ends, which also ends it when it still runs."""
    found = Program(*words, user=user)
    try:
        yield found
    finally:
        if found.process.poll() is None:
            found.kill()
