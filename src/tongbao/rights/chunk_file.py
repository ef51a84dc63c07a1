"""Sealed chunks in a file, one after the other: what a buyer received and a panel is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import overload

from tongbao.rights.chunks import DoesNotOpen
from tongbao.rights.limits import CHUNKS_LIMIT, SEALED_CHUNK_BYTES


class ChunkFile(Sequence[bytes]):
    """The chunks of a file from a byte on; each is read when it is asked for, none is kept.

    Raises DoesNotOpen for a file that is not of whole chunks, OSError where it can't be read.
    """

    def __init__(self, path: Path, *, begin: int = 0, limit: int = CHUNKS_LIMIT) -> None:
        self._path, self._begin = path, begin
        size = path.stat().st_size - begin
        if size < 0 or size % SEALED_CHUNK_BYTES or size > limit * SEALED_CHUNK_BYTES:
            raise DoesNotOpen(f"{path.name} is not a file of at most {limit} whole chunks")
        self._count = size // SEALED_CHUNK_BYTES

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(self._count))]
        place = range(self._count)[index]
        with self._path.open("rb") as file:
            file.seek(self._begin + place * SEALED_CHUNK_BYTES)
            return file.read(SEALED_CHUNK_BYTES)

    def __iter__(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            file.seek(self._begin)
            for _ in range(self._count):
                yield file.read(SEALED_CHUNK_BYTES)
