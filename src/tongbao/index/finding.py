"""Finding entries again: through the chunks that a name is posted in, from the newest or onwards.

Statements read a few chunks at a time, so that an answer that is full early has read little.
"""

from __future__ import annotations

import re
import sqlite3
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Final, NamedTuple

import msgspec

from tongbao.index.chunks import kind_of, number_of
from tongbao.index.cursor import place_of
from tongbao.index.database import Session, Value
from tongbao.index.entries import Entry
from tongbao.index.tables import (
    BEFORE_BY_ACCOUNT,
    BEFORE_BY_HOLDING,
    BEFORE_BY_TEXT,
    CHUNK_FROM,
    FROM_BY_HOLDING,
    STATE,
)

SEARCHED: Final = 500
"""Chunks that one answer looks at, at most; beyond, it says where to go on."""

STEP: Final = 64
"""Chunks that one statement reads, at most, until many have been wanted."""

LONG_STEP: Final = 512
"""Chunks that one statement reads, at most, of a long walk."""

_is_address: Final = re.compile(r"[0-9a-f]{40}\Z").match
_decode: Final = msgspec.msgpack.Decoder(tuple[list[int], bytes]).decode
_entry: Final = msgspec.msgpack.Decoder(Entry).decode


class Damaged(sqlite3.DatabaseError):
    """A chunk that does not decode: what SQLite says of damage that it sees itself."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


class Name(NamedTuple):
    """What entries are found by: a statement's first values, and bytes that each entry has."""

    before: str
    values: tuple[Value, ...]
    needle: bytes


def account_name(account: str, asset: str | None = None) -> Name | None:
    """What an account took part in, of one asset where given; None where nobody has that name."""
    if not _is_address(account):
        return None
    number, needle = number_of(account), account.encode()
    if asset is None:
        return Name(BEFORE_BY_ACCOUNT, (number,), needle)
    return Name(BEFORE_BY_HOLDING, (number, kind_of(asset)), needle)


def text_name(text: str) -> Name:
    """Where an asset moved, or who bears a reference."""
    written = text.encode("utf-8", "surrogatepass")
    return Name(BEFORE_BY_TEXT, (written,), written)


def begin_in(session: Session) -> tuple[int, int]:
    """The last block that an index knows, and the first that it was made to know."""
    height, first, _ = session.rows(STATE)[0]
    return int(height), int(first)


def entries_before(
    session: Session, name: Name | None, end: int, searched: int | None = SEARCHED
) -> Iterator[tuple[int, int, Entry | None]]:
    """Entries up to the place `end` that mention a name, the newest first: place, time, entry.

    When the search has come to its bound, the last one is the place before which it goes on,
    without an entry.
    """
    if name is None:
        return
    left = searched
    while left is None or left > 0:
        step = STEP if left is None else min(STEP, left)
        rows = session.rows(name.before, *name.values, end, step)
        for at, time, raw in rows:
            for offset, entry in reversed(_with(raw, name.needle)):
                if at + offset <= end:
                    yield at + offset, time, entry
        if len(rows) < step:
            return
        end = rows[-1][0] - 1
        left = None if left is None else left - step
    if session.rows(name.before, *name.values, end, 1):
        yield end + 1, 0, None


def entries_from(
    session: Session, account: str, asset: str, begin: int, end: int
) -> Iterator[tuple[int, int, Entry]]:
    """Entries of the chunks from the place `begin` on, those before `end`, the oldest first.

    Those that mention an account, of chunks in which it moved an asset; `begin` begins a chunk.
    """
    number, kind, needle = number_of(account), kind_of(asset), account.encode()
    step = STEP
    while True:
        rows = session.rows(FROM_BY_HOLDING, number, kind, begin, end, step)
        for at, time, raw in rows:
            for offset, entry in _with(raw, needle):
                yield at + offset, time, entry
        if len(rows) < step:
            return
        begin, step = rows[-1][0] + 1, LONG_STEP


def first_place(session: Session, time: int, height: int) -> int:
    """Where the first block begins whose time is not before a time; after `height` if none is."""
    found = session.rows(CHUNK_FROM, time)
    return int(found[0][0]) if found else place_of(height + 1, 0)


def entries_in(raw: bytes) -> list[Entry]:
    """All entries of a chunk. Raises Damaged."""
    return [entry for _, entry in _with(raw, b"")]


def _with(raw: bytes, needle: bytes) -> list[tuple[int, Entry]]:
    """The entries of a chunk that have some bytes, each with its offset. Raises Damaged."""
    try:
        lengths, body = _decode(raw)
        ends = list(accumulate(lengths))
        found = []
        place = body.find(needle)
        while 0 <= place < len(body):
            offset = bisect_right(ends, place)
            place = ends[offset]
            found.append((offset, _entry(body[place - lengths[offset] : place])))
            place = body.find(needle, place)
    except (msgspec.DecodeError, IndexError) as error:
        raise Damaged("a chunk of the index does not decode") from error
    return found
