"""A store under a system user of its own: no other user sees its folder or its memory."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.services.data_store.store_process import SPACE, chunks, lay, name_of, running
from tests.services.other_user import python_for_all

KEEPER, OTHER = 61_001, 61_002
"""Users of the system that no account has."""
LOOK: Final = """
import sys
try:
    with open(sys.argv[1], "rb") as file:
        file.seek(int(sys.argv[2]))
        file.read(1)
except PermissionError:
    print("permission denied")
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every user may enter, as the folders above a test's own are root's alone."""
    python_for_all()
    with tempfile.TemporaryDirectory() as found:
        Path(found).chmod(0o755)
        yield Path(found)


def give(folder: Path, user: int) -> None:
    """Let a user have a folder and all in it."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user, user)


def looked_at(file: str, at: int, user: int) -> str:
    """What a user's program says that reads a file at a place."""
    python, _ = python_for_all()
    command = [python, "-I", "-c", LOOK, file, str(at)]
    ended = subprocess.run(
        command, user=user, group=user, extra_groups=(), capture_output=True, text=True, check=True
    )
    return ended.stdout.strip()


def writable_at(pid: int) -> int:
    """Where a process has memory of its own."""
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        span, mode = line.split()[:2]
        if mode.startswith("rw"):
            return int(span.split("-")[0], 16)
    raise AssertionError


def test_another_user_reads_neither_folder_nor_memory_of_a_store(place: Path) -> None:
    """Given a store that runs as one system user.

    When a program of another user opens its files, its erasures or its memory
    Then that is denied, and the store's own user may
    """
    folder = lay(place / "store")
    give(folder, KEEPER)
    give(place / "store.erased", KEEPER)
    with running(folder, user=KEEPER) as store, store.client() as client:
        client.put_blob(name_of(1), chunks(1))
        client.delete_blob(name_of(2))
        pid = store.process.pid
        files = [
            (str(folder / "store.json"), 0),
            (str(folder / "spaces" / SPACE / "blobs" / name_of(1)), 0),
            (str(place / "store.erased" / SPACE / "blobs" / name_of(2)), 0),
            (f"/proc/{pid}/mem", writable_at(pid)),
        ]
        assert Path(f"/proc/{pid}").stat().st_uid == KEEPER
        for file, at in files:
            assert looked_at(file, at, OTHER) == "permission denied"
            assert looked_at(file, at, KEEPER) == ""
