"""Rows of the index: chunks of entries, and postings that say in which chunks a name occurs.

A name (account, asset or reference) stands in a posting as a number of 64 bits, which keeps them
small and quick. Two names may have one number: a reader picks out what is asked by the whole name.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from typing import Final

import msgspec

from tongbao.index.cursor import place_of
from tongbao.index.entries import Entry, entries_of
from tongbao.store.record import BlockRecord

CHUNK: Final = 32
"""Transactions in one chunk, at most, all of one block: what reading one decodes."""

CHUNK_MOVEMENTS: Final = 256
"""Movements after which a chunk takes no more transactions."""

SEARCHED: Final = 500
"""Chunks that one answer looks at, at most; beyond, it says where to go on."""

NAMES_REMEMBERED: Final = 4_096

MIDDLE: Final = 2**63
"""What makes a number of 64 bits one of SQLite's, which have a sign."""

FOUND: Final = """
SELECT chunks.at, time, entries FROM postings JOIN chunks USING (at)
WHERE name = ? AND postings.at <= ? ORDER BY postings.at DESC LIMIT ?
"""


class Damaged(sqlite3.DatabaseError):
    """A chunk that does not decode: what SQLite says of damage that it sees itself."""

    sqlite_errorcode = sqlite3.SQLITE_CORRUPT


ChunkRow = tuple[int, int, bytes]
Posting = tuple[int, int]

_is_address: Final = re.compile(r"[0-9a-f]{40}\Z").match
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(tuple[Entry, ...]).decode


def number_of(name: str) -> int:
    """The number that a name's postings stand under, the same in every process.

    An address is hash enough already: 40 digits, which no reference and no asset has.
    """
    if _is_address(name):
        return int(name[24:], 16) - MIDDLE
    return _hashed(name)


@lru_cache(NAMES_REMEMBERED)
def _hashed(name: str) -> int:
    return int.from_bytes(sha256(name.encode()).digest()[:8], "big", signed=True)


def collect(record: BlockRecord, chunks: list[ChunkRow], postings: list[Posting]) -> None:
    """Append the rows of one block."""
    waiting: list[Entry] = []
    names: dict[str, None] = {}
    first = moves = 0
    for index, entry in enumerate(entries_of(record)):
        if not waiting:
            first = place_of(record.height, index)
        waiting.append(entry)
        moves += len(entry.moved)
        _name(entry, names)
        if len(waiting) == CHUNK or moves >= CHUNK_MOVEMENTS:
            _close(record, first, waiting, names, chunks, postings)
            waiting, names, moves = [], {}, 0
    if waiting:
        _close(record, first, waiting, names, chunks, postings)


def _name(entry: Entry, names: dict[str, None]) -> None:
    """All names that an entry is found by."""
    if entry.sender:
        names[entry.sender] = None
    for moving in entry.moved:
        names[moving.asset] = None
        if moving.payer is not None:
            names[moving.payer] = None
        if moving.payee is not None:
            names[moving.payee] = None
    for reference in entry.references:
        names[reference] = None


def _close(
    record: BlockRecord,
    first: int,
    entries: list[Entry],
    names: dict[str, None],
    chunks: list[ChunkRow],
    postings: list[Posting],
) -> None:
    chunks.append((first, record.time, _encode(entries)))
    numbers = dict.fromkeys(map(number_of, names))
    postings.extend([(number, first) for number in numbers])


def entries_before(
    reader: sqlite3.Connection, name: int, end: int
) -> Iterator[tuple[int, int, Entry | None]]:
    """Entries of the chunks that a name is posted in, up to the place `end`, the newest first.

    Place, time, entry; others than the name's are among them. When the search has come to its
    bound, the last one is the place before which it goes on, without an entry.
    """
    rows = reader.execute(FOUND, (name, end, SEARCHED + 1))
    first = 0
    for searched, (at, time, raw) in enumerate(rows):
        if searched == SEARCHED:
            yield first, 0, None
            return
        first = at
        try:
            entries = _decode(raw)
        except msgspec.DecodeError as error:
            raise Damaged("a chunk of the index does not decode") from error
        for offset in range(len(entries) - 1, -1, -1):
            if first + offset <= end:
                yield first + offset, time, entries[offset]
