"""The few things a store asks of a disk, so that a simulator can stand in for one.

What changes something names its `Site`; the operating system does not care.
"""

from __future__ import annotations

import os
import shutil
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final, Protocol

from tongbao.store.sites import Site

SALT_BYTES: Final = 16


class AppendFile(Protocol):
    """A file that only grows at its end, or is cut back."""

    def write(self, data: bytes, site: Site, /) -> None:
        """Append all of `data`. Raises OSError; how much was written is unknown then."""

    def sync(self, site: Site, /) -> None:
        """Make what was written durable (fdatasync). Raises OSError; never try again."""

    def truncate(self, size: int, site: Site, /) -> None:
        """Cut the file back to `size` bytes."""

    def close(self) -> None:
        """Close the file; nothing is synced."""


class Disk(Protocol):
    """A file system, as far as the store needs one."""

    def make_folder(self, path: Path, site: Site, /) -> None:
        """Make a folder unless it exists."""

    def names(self, folder: Path) -> list[str]:
        """The sorted names in a folder, empty when there is none."""

    def read(self, path: Path) -> bytes:
        """All bytes of a file."""

    def read_part(self, path: Path, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset` on."""

    def append_to(self, path: Path, site: Site, /) -> AppendFile:
        """Open a file at its end; make it if it is not there."""

    def rewrite(self, path: Path, offset: int, data: bytes, site: Site, /) -> None:
        """Write bytes again where a file has them, for its next sync to write them."""

    def remove(self, path: Path, site: Site, /) -> None:
        """Remove a file, or a folder with all that is in it; nothing happens where none is."""

    def rename(self, old: Path, new: Path, site: Site, /) -> None:
        """Give a file or folder another name, in the place of a file that has it."""

    def sync_folder(self, folder: Path, site: Site, /) -> None:
        """Make names in a folder durable. Raises OSError."""

    def writing(self, site: Site, /) -> AbstractContextManager[None]:
        """Around what changes the disk through a library, as LMDB does."""

    def salt(self) -> bytes:
        """16 bytes that nobody who sends transactions can foresee."""


class RealAppendFile:
    """An append-only file of the operating system."""

    def __init__(self, path: Path) -> None:
        """Open or make the file at `path`."""
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)

    def write(self, data: bytes, _: Site, /) -> None:
        """Append all of `data`."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def sync(self, _: Site, /) -> None:
        """fdatasync."""
        os.fdatasync(self._descriptor)

    def truncate(self, size: int, _: Site, /) -> None:
        """Cut the file back."""
        os.ftruncate(self._descriptor, size)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


class RealDisk:
    """The operating system's file system."""

    def make_folder(self, path: Path, _: Site, /) -> None:
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

    def append_to(self, path: Path, _: Site, /) -> AppendFile:
        """Open a file at its end."""
        return RealAppendFile(path)

    def rewrite(self, path: Path, offset: int, data: bytes, _: Site, /) -> None:
        """Write bytes again where they stand."""
        descriptor = os.open(path, os.O_WRONLY)
        try:
            written = 0
            while written < len(data):
                written += os.pwrite(descriptor, data[written:], offset + written)
        finally:
            os.close(descriptor)

    def remove(self, path: Path, _: Site, /) -> None:
        """Remove a file, or a folder with all that is in it."""
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def rename(self, old: Path, new: Path, _: Site, /) -> None:
        """Give a file or folder another name."""
        old.replace(new)

    def sync_folder(self, folder: Path, _: Site, /) -> None:
        """fsync of the folder."""
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def writing(self, _: Site, /) -> AbstractContextManager[None]:
        """Nothing but what is written."""
        return nullcontext()

    def salt(self) -> bytes:
        """Random bytes of the operating system."""
        return os.urandom(SALT_BYTES)
