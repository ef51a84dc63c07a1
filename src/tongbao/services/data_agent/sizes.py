"""How long packages are at least: how many rows a person has must not show in how much is sold.

A package's length follows from what is public: how many batches are in it, how many cells a row
has, and how many of them are granted. Up to 64 rows a batch, whose values have 64 bytes at most on
average, add nothing to it.
"""

from __future__ import annotations

from typing import Final

from tongbao.rights.chunks import chunk_count
from tongbao.rights.limits import CHUNKS_LIMIT, TEXT_BYTES_LIMIT

ROWS: Final = 64
HIDDEN_BYTES: Final = 67
"""A hash in quotes, and a comma."""
OPEN_BYTES: Final = 104
"""A salt, a value of 64 bytes, and what is around them."""
ROW_BYTES: Final = 4
BATCH_BYTES: Final = 600
"""A header, and what is around it."""


def least_chunks(cells: int, fields: int, batches: int) -> int:
    """The chunks of a package of so many batches, for everybody with up to 64 rows in each."""
    row = ROW_BYTES + HIDDEN_BYTES * (cells - fields) + OPEN_BYTES * fields
    text = batches * (BATCH_BYTES + ROWS * row)
    return min(chunk_count(min(text, TEXT_BYTES_LIMIT)), CHUNKS_LIMIT)
