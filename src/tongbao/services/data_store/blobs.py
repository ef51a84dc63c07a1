"""Where blobs lie: behind one small interface, in files or at a service that speaks S3."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from tongbao.services.data_store.durable import link_file, make_folder, remove_file, sizes_in
from tongbao.services.data_store.names import Kept, Kind

PIECE_BYTES: Final = 1_048_576


class Blobs(Protocol):
    """Blobs by space and name, each durable before `put` or `remove` ends."""

    def put(self, space: str, name: str, spooled: Path) -> bool:
        """Keep a synced file's bytes; False where the name has some, which stay as they are."""

    def size(self, space: str, name: str) -> int | None:
        """How many bytes a name has; None where it has none."""

    def read(self, space: str, name: str, start: int, count: int) -> Iterator[bytes]:
        """`count` bytes from `start` on, in pieces. Raises KeyError where the name has none."""

    def remove(self, space: str, name: str) -> None:
        """Destroy what a name has, if it has something."""

    def kept(self, space: str) -> list[Kept]:
        """All names of a space, sorted."""


class FileBlobs:
    """Blobs as files: `FOLDER/SPACE/blobs/NAME`. `put` links, so both are in one file system."""

    def __init__(self, folder: Path) -> None:
        """Use a folder, which is there."""
        self._folder = folder

    def put(self, space: str, name: str, spooled: Path) -> bool:
        """Link the file to its name."""
        make_folder(self._folder / space)
        make_folder(self._path(space))
        return link_file(self._path(space) / name, spooled)

    def size(self, space: str, name: str) -> int | None:
        """The size of the file."""
        try:
            return (self._path(space) / name).stat().st_size
        except FileNotFoundError:
            return None

    def read(self, space: str, name: str, start: int, count: int) -> Iterator[bytes]:
        """Read the file; one that is removed meanwhile is read to its end."""
        try:
            file = (self._path(space) / name).open("rb")
        except FileNotFoundError:
            raise KeyError(name) from None
        return _pieces(file, start, count)

    def remove(self, space: str, name: str) -> None:
        """Remove the file."""
        if self._path(space).is_dir():
            remove_file(self._path(space) / name)

    def kept(self, space: str) -> list[Kept]:
        """The files of the space."""
        return [Kept(name, size) for name, size in sizes_in(self._path(space))]

    def _path(self, space: str) -> Path:
        return self._folder / space / Kind.BLOB


def _pieces(file: BinaryIO, start: int, count: int) -> Iterator[bytes]:
    with file:
        file.seek(start)
        left = count
        while left:
            piece = file.read(min(PIECE_BYTES, left))
            if not piece:
                return
            left -= len(piece)
            yield piece


def same_bytes(blobs: Blobs, space: str, name: str, size: int, digest: bytes) -> bool:
    """Whether a name has the bytes with this size and SHA-256."""
    if blobs.size(space, name) != size:
        return False
    found = sha256()
    try:
        for piece in blobs.read(space, name, 0, size):
            found.update(piece)
    except KeyError:
        return False
    return found.digest() == digest
