"""The few things a log asks of a disk, so that a simulator can stand in for one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Protocol

SALT_BYTES: Final = 16


class AppendFile(Protocol):
    """A file that only grows at its end, or is cut back."""

    def write(self, data: bytes) -> None:
        """Append all of `data`. Raises OSError; how much was written is unknown then."""

    def sync(self) -> None:
        """Make what was written durable (fdatasync). Raises OSError; never try again."""

    def truncate(self, size: int) -> None:
        """Cut the file back to `size` bytes."""

    def close(self) -> None:
        """Close the file; nothing is synced."""


class Disk(Protocol):
    """A file system, as far as the log needs one."""

    def make_folder(self, path: Path) -> None:
        """Make a folder unless it exists."""

    def names(self, folder: Path) -> list[str]:
        """The sorted names in a folder, empty when there is none."""

    def read(self, path: Path) -> bytes:
        """All bytes of a file."""

    def read_part(self, path: Path, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset` on."""

    def append_to(self, path: Path) -> AppendFile:
        """Open a file at its end; make it if it is not there."""

    def remove(self, path: Path) -> None:
        """Remove a file."""

    def sync_folder(self, folder: Path) -> None:
        """Make names in a folder durable. Raises OSError."""

    def salt(self) -> bytes:
        """16 bytes that nobody who sends transactions can foresee."""


class RealAppendFile:
    """An append-only file of the operating system."""

    def __init__(self, path: Path) -> None:
        """Open or make the file at `path`."""
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)

    def write(self, data: bytes) -> None:
        """Append all of `data`."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def sync(self) -> None:
        """fdatasync."""
        os.fdatasync(self._descriptor)

    def truncate(self, size: int) -> None:
        """Cut the file back."""
        os.ftruncate(self._descriptor, size)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


class RealDisk:
    """The operating system's file system."""

    def make_folder(self, path: Path) -> None:
        """Make a folder unless it exists."""
        path.mkdir(parents=True, exist_ok=True)

    def names(self, folder: Path) -> list[str]:
        """The sorted names in a folder."""
        return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []

    def read(self, path: Path) -> bytes:
        """All bytes of a file."""
        return path.read_bytes()

    def read_part(self, path: Path, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset` on."""
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(length)

    def append_to(self, path: Path) -> AppendFile:
        """Open a file at its end."""
        return RealAppendFile(path)

    def remove(self, path: Path) -> None:
        """Remove a file."""
        path.unlink()

    def sync_folder(self, folder: Path) -> None:
        """fsync of the folder."""
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def salt(self) -> bytes:
        """Random bytes of the operating system."""
        return os.urandom(SALT_BYTES)
