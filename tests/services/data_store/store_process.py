"""A real `tongbao data-store run` in a process of its own, on a real folder."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.services.other_user import python_for_all
from tongbao.rights.limits import SEALED_CHUNK_BYTES
from tongbao.sdk.data.store_client import StoreClient
from tongbao.sdk.signer import SoftwareKey

START_S: Final = 60
SERVED: Final = re.compile(r"is served at (https?://\S+);")
TONGBAO: Final = str(Path(sys.executable).with_name("tongbao"))
OWNER: Final = SoftwareKey.from_seed(b"o" * 32)
STRANGER: Final = SoftwareKey.from_seed(b"s" * 32)
SPACE: Final = OWNER.public_key.hex()
ENVIRONMENT: Final = {"PATH": os.environ["PATH"]}
"""Nothing else of the tests' environment: neither keys nor passphrases."""


def name_of(number: int) -> str:
    """A name of a blob."""
    return f"{number:064x}"


def chunks(count: int, seed: int = 0) -> bytes:
    """As many bytes as so many chunks have."""
    line = f"chunk of {seed} ".encode()
    return (line * (count * SEALED_CHUNK_BYTES // len(line) + 1))[: count * SEALED_CHUNK_BYTES]


def data_store(*arguments: str) -> str:
    """A command that ends by itself; what it printed."""
    command = [TONGBAO, "data-store", *arguments]
    ended = subprocess.run(
        command, env=ENVIRONMENT, capture_output=True, text=True, timeout=START_S, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def lay(folder: Path, *flags: str) -> Path:
    """A new store that serves the owner's space."""
    data_store("init", "--folder", str(folder), *flags)
    data_store("space", "add", SPACE, "--folder", str(folder))
    return folder


class StoreProcess:
    """A store that runs, and what it says on standard error."""

    def __init__(
        self,
        folder: Path,
        *flags: str,
        user: int | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        """Start it, and wait until it serves or ends."""
        program, variables = [TONGBAO], ENVIRONMENT | (environment or {})
        if user is not None:
            python, paths = python_for_all()
            program, variables = [python, "-m", "tongbao.cli.main"], variables | paths
        command = [*program, "data-store", "run", "--folder", str(folder), "--port", "0", *flags]
        self.process = subprocess.Popen(
            command,
            env=variables,
            user=user,
            group=user,
            extra_groups=None if user is None else (),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._lines: list[str] = []
        self._told = threading.Event()
        self._reading = threading.Thread(target=self._read)
        self._reading.start()
        assert self._told.wait(START_S), self.text()
        found = SERVED.search(self.text())
        self.url = "" if found is None else found[1]

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.append(line)
            if SERVED.search(line):
                self._told.set()
        self._told.set()

    def text(self) -> str:
        """All that it has said."""
        return "".join(self._lines)

    def end(self, how: int = signal.SIGTERM) -> int:
        """End it, and wait; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(START_S)
        self._reading.join(START_S)
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code

    def client(self, key: SoftwareKey = OWNER) -> StoreClient:
        """Who asks it."""
        return StoreClient(self.url, key)


@contextmanager
def running(
    folder: Path, *flags: str, user: int | None = None, environment: dict[str, str] | None = None
) -> Iterator[StoreProcess]:
    """A store that runs until the end of the `with` statement."""
    store = StoreProcess(folder, *flags, user=user, environment=environment)
    try:
        assert store.url, store.text()
        yield store
    finally:
        store.end()
