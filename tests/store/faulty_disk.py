"""A disk that fails when it is told to: the real one beneath, errors of the system on top."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from tongbao.store.disk import AppendFile, RealDisk
from tongbao.store.sites import Site


class FaultyDisk(RealDisk):
    """Counts what it is asked for, and fails from a write or sync on that a test names.

    `room` is how many bytes can still be written (None: any number); `failing` maps an operation
    ("sync", "truncate", "append_to", "remove", "sync_folder", "write") to the error it ends in.
    """

    def __init__(self) -> None:
        """Begin without a fault."""
        self.room: int | None = None
        self.failing: dict[str, int] = {}
        self.done: list[str] = []

    def meet(self, operation: str) -> None:
        """Note an operation, or fail it."""
        if operation in self.failing:
            number = self.failing[operation]
            raise OSError(number, os.strerror(number))
        self.done.append(operation)

    def append_to(self, path: Path, site: Site, /) -> AppendFile:
        """Open a file whose writes and syncs may fail."""
        self.meet("append_to")
        return FaultyFile(self, super().append_to(path, site))

    def remove(self, path: Path, site: Site, /) -> None:
        """Remove a file."""
        self.meet("remove")
        super().remove(path, site)

    def sync_folder(self, folder: Path, site: Site, /) -> None:
        """Sync a folder."""
        self.meet("sync_folder")
        self.done.append(folder.name)
        super().sync_folder(folder, site)

    def salt(self) -> bytes:
        """Always the same salt, so that bytes can be compared."""
        return b"sixteen bytes ok"


class FaultyFile:
    """A file of a faulty disk."""

    def __init__(self, disk: FaultyDisk, file: AppendFile) -> None:
        """Stand before a real file."""
        self._disk = disk
        self._file = file

    def write(self, data: bytes, site: Site, /) -> None:
        """Write what there is room for, and then fail."""
        self._disk.meet("write")
        if self._disk.room is None:
            self._file.write(data, site)
            return
        fits = data[: self._disk.room]
        self._file.write(fits, site)
        self._disk.room -= len(fits)
        if len(fits) < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def sync(self, site: Site, /) -> None:
        """Sync the file."""
        self._disk.meet("sync")
        self._file.sync(site)

    def truncate(self, size: int, site: Site, /) -> None:
        """Cut the file, which gives its room back."""
        self._disk.meet("truncate")
        self._file.truncate(size, site)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
