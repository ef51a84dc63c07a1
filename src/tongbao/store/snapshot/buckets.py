"""Cutting more rows than fit into memory: they are parted into files by the digits of their paths.

The chunks are those that `cut` makes of all rows at once, however many files there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Final

from tongbao.store.snapshot.chunks import Chunk, cut, read_rows, write_row

BUCKET_BYTES: Final = 32 * 1024 * 1024
"""A file is about as large, while there are few enough of them."""

DIGITS_LIMIT: Final = 4
"""4^4 = 256 files are open at once; above 8 GiB of rows, each is larger."""


def digits_for(size: int) -> int:
    """How many digits of their paths part rows of so many bytes."""
    digits = 0
    while size > BUCKET_BYTES << 2 * digits and digits < DIGITS_LIMIT:
        digits += 1
    return digits


class Buckets:
    """Rows in 4^digits files of a folder that is theirs alone."""

    def __init__(self, folder: Path, digits: int) -> None:
        """Make the folder and its files. Raises OSError."""
        assert 0 <= digits <= DIGITS_LIMIT
        folder.mkdir()
        self._digits = digits
        names = ["".join(each) for each in product("0123", repeat=digits)]
        self._paths = {name: folder / f"bucket-{name}" for name in names}
        self._files = [path.open("wb") for path in self._paths.values()]
        self._sizes = [0] * len(names)

    def add(self, key: bytes, value: bytes) -> None:
        """Add a row. Raises OSError."""
        at = sha256(key).digest()[0] >> 8 - 2 * self._digits
        row = write_row(key, value)
        self._files[at].write(row)
        self._sizes[at] += len(row)

    def close(self) -> None:
        """No more rows are added. Raises OSError; may be called again."""
        for file in self._files:
            file.close()

    def chunks(self, chunk_bytes: int) -> Iterator[tuple[Chunk, bytes]]:
        """The chunks of all rows, in order; in memory is one file at a time. Raises OSError."""
        self.close()
        sizes = dict(zip(self._paths, self._sizes, strict=True))
        yield from self._cut("", sizes, chunk_bytes)

    def _cut(
        self, prefix: str, sizes: dict[str, int], chunk_bytes: int
    ) -> Iterator[tuple[Chunk, bytes]]:
        """Below a node of few bytes, or of one file, everything is read; else child by child."""
        below = {name: size for name, size in sizes.items() if name.startswith(prefix)}
        if sum(below.values()) <= chunk_bytes or len(prefix) == self._digits:
            data = b"".join([self._paths[name].read_bytes() for name in below])
            yield from cut(read_rows("a file of rows", data), chunk_bytes, prefix)
            return
        for taken in range(4):
            yield from self._cut(f"{prefix}{taken}", below, chunk_bytes)
