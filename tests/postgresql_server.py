"""A PostgreSQL server of the system's own programs, in a folder that goes away with it."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

PLACES = Path("/usr/lib/postgresql")
USERS = ("postgres", "nobody")
PATIENCE_S = 60


def programs() -> Path:
    """The folder of initdb and postgres, the newest version's.

    Where there is none, the test is skipped and says so; in CI it fails.
    """
    found = sorted(PLACES.glob("*/bin"), key=lambda path: int(path.parent.name))
    if found:
        return found[-1]
    reason = "NOT TESTED: PostgreSQL is not installed: apt-get install postgresql"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


class Server:
    """A server that only this machine reaches, by a socket in its folder."""

    def __init__(self, folder: Path) -> None:
        """Make its files; `start` runs it."""
        self.folder = folder
        self.programs = programs()
        self.user = _user()
        self._made = 0
        if self.user is not None:
            shutil.chown(folder, self.user)
        self._run(
            "initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "owner", "-N", "-E", "UTF8"
        )

    def start(self) -> None:
        """Run it, and wait until it answers."""
        options = f"-k {self.folder} -c listen_addresses= -c fsync=off -c max_connections=40"
        log = f"{self.folder}/log"
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-l", log, "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        """End it: at once, as a crash does, or another mode of pg_ctl."""
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-m", mode, "-w", "stop")

    def database(self) -> str:
        """The address of a new, empty database."""
        self._made += 1
        name = f"made{self._made}"
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.address(name)

    def address(self, name: str) -> str:
        """The address of a database."""
        return f"postgresql:///{name}?host={self.folder}&user=owner"

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self.programs / program, *arguments],
            user=self.user,
            group=None if self.user is None else pwd.getpwnam(self.user).pw_gid,
            extra_groups=None if self.user is None else [],
            check=True,
            timeout=PATIENCE_S,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd="/",
        )


def _user() -> str | None:
    """Whose the server is: it refuses to be root's."""
    if os.getuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in USERS if name in known)


@contextmanager
def running_server() -> Iterator[Server]:
    """A server that runs until the end of the `with` statement."""
    with tempfile.TemporaryDirectory(prefix="tb-pg-") as folder:
        server = Server(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()
