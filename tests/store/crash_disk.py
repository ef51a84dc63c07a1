"""A disk in memory whose power fails: what was not synced is lost, kept or torn, by a seed."""

from __future__ import annotations

import errno
import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from random import Random

from tongbao.store.disk import AppendFile
from tongbao.store.sites import Site


class PowerFailed(BaseException):
    """The power is gone in the middle of an operation."""


class Content:
    """The bytes of a file: as programs see them, and as far as they are surely on the disk."""

    def __init__(self) -> None:
        """Begin empty."""
        self.seen = bytearray()
        self.durable = b""


class CrashDisk:
    """Files and folders with unsynced writes and names; `operations` until the power fails."""

    def __init__(self, random: Random) -> None:
        """Begin with nothing but a root, which every disk has."""
        self.random = random
        self.operations = 0
        self.folders: set[Path] = set()
        self.files: dict[Path, Content] = {}
        self.durable_names: set[Path] = set()

    def step(self) -> None:
        """One operation nearer to the end."""
        self.operations -= 1
        if self.operations <= 0:
            raise PowerFailed

    def restart(self) -> None:
        """What is left when the power is back: unsynced bytes and names survive as they happen."""
        for path in [*self.files, *self.folders]:
            if path not in self.durable_names and self.random.random() < 0.5:
                self.files.pop(path, None)
                self.folders.discard(path)
        # What stood in a folder whose name was lost is lost with it.
        self.files = {path: it for path, it in self.files.items() if path.parent in self.folders}
        for content in self.files.values():
            content.seen = bytearray(self._left_of(content))
            content.durable = bytes(content.seen)
        self.durable_names = {*self.files, *self.folders}

    def _left_of(self, content: Content) -> bytes:
        """The bytes of a file after the power failed."""
        if not content.seen.startswith(content.durable):
            return self.random.choice([bytes(content.seen), content.durable])
        pending = bytearray(content.seen[len(content.durable) :])
        match self.random.randrange(4):
            case 0:
                pending.clear()
            case 1:
                del pending[self.random.randrange(len(pending) + 1) :]
            case 2:
                pending[:] = bytes(len(pending))
            case _ if pending:
                pending[self.random.randrange(len(pending))] ^= 1 << self.random.randrange(8)
        return content.durable + pending

    # What the log asks for

    def make_folder(self, path: Path, _: Site, /) -> None:
        """Make a folder; its name is durable once its parent is synced."""
        self.step()
        self.folders.add(path)

    def names(self, folder: Path) -> list[str]:
        """The names in a folder."""
        return sorted(path.name for path in self.files if path.parent == folder)

    def read(self, path: Path) -> bytes:
        """All bytes."""
        return bytes(self.files[path].seen)

    def read_part(self, path: Path, offset: int, length: int) -> bytes:
        """Some bytes."""
        return bytes(self.files[path].seen[offset : offset + length])

    def append_to(self, path: Path, _: Site, /) -> AppendFile:
        """Open or make a file."""
        self.step()
        return CrashFile(self, self.files.setdefault(path, Content()))

    def remove(self, path: Path, _: Site, /) -> None:
        """Remove a file, for good only once its folder is synced; here at once or never."""
        self.step()
        del self.files[path]

    def sync_folder(self, folder: Path, _: Site, /) -> None:
        """Make names durable."""
        self.step()
        inside = {path for path in [*self.files, *self.folders] if path.parent == folder}
        self.durable_names |= inside

    def rename(self, old: Path, new: Path, _: Site, /) -> None:
        """Give a file another name: here at once or never."""
        self.step()
        self.files[new] = self.files.pop(old)

    def writing(self, _: Site, /) -> AbstractContextManager[None]:
        """Nothing: LMDB has no place here."""
        return nullcontext()

    def salt(self) -> bytes:
        """Bytes of the seed."""
        return self.random.randbytes(16)


class CrashFile:
    """A file of such a disk."""

    def __init__(self, disk: CrashDisk, content: Content) -> None:
        """Write to a file's content."""
        self._disk = disk
        self._content = content

    def write(self, data: bytes, _: Site, /) -> None:
        """Write some or all of it, the former when the power fails or now and then the disk."""
        part = data[: self._disk.random.randrange(len(data) + 1)]
        self._content.seen += part
        self._disk.step()
        if self._disk.random.random() < 0.1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._content.seen += data[len(part) :]

    def sync(self, _: Site, /) -> None:
        """Make the content durable."""
        self._disk.step()
        self._content.durable = bytes(self._content.seen)

    def truncate(self, size: int, _: Site, /) -> None:
        """Cut the content, for certain only once it is synced."""
        self._disk.step()
        del self._content.seen[size:]

    def close(self) -> None:
        """Nothing."""
