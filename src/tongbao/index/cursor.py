"""Places in history as one number, and the cursors that callers hand back."""

from __future__ import annotations

import re
from typing import Final

INDEX_BITS: Final = 24
"""Bits for a transaction's index in its block: no record of 512 MB holds so many."""

LAST: Final = 2**63 - 1
"""Above every place, and the most that SQLite's integers hold."""

_CURSOR: Final = re.compile(r"(0|[1-9][0-9]{0,11})[.](0|[1-9][0-9]{0,7})[.](0|[1-9][0-9]{0,7})\Z")


class CursorError(ValueError):
    """A cursor that no answer has given; the text says what one looks like."""


def place_of(height: int, index: int) -> int:
    """The place of a transaction: places ascend as history does."""
    assert index < 1 << INDEX_BITS and height < 1 << (63 - INDEX_BITS)
    return height << INDEX_BITS | index


def height_of(at: int) -> int:
    """The block of a place."""
    return at >> INDEX_BITS


def index_of(at: int) -> int:
    """The transaction's index in its block."""
    return at & ((1 << INDEX_BITS) - 1)


def cursor_of(at: int, nth: int) -> str:
    """`height.index.place`: where a page ends, and the next one begins before it."""
    return f"{height_of(at)}.{index_of(at)}.{nth}"


def read_cursor(text: str | None) -> tuple[int, int]:
    """The place and the movement before which a page begins. Raises CursorError."""
    return (LAST, 0) if text is None else _read(text)


def read_after(text: str | None) -> tuple[int, int]:
    """The place and the movement with which a page of a statement begins. Raises CursorError."""
    return (0, 0) if text is None else _read(text)


def _read(text: str) -> tuple[int, int]:
    found = _CURSOR.match(text)
    if found is None:
        raise CursorError("a cursor is height.index.place, as an answer gave it")
    height, index, nth = map(int, found.groups())
    if index >= 1 << INDEX_BITS or height >= 1 << (63 - INDEX_BITS):
        raise CursorError("the cursor names a place that no block can have")
    return place_of(height, index), nth
