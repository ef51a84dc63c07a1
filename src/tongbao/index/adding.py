"""Taking blocks into the file of an index: whole, in order, each exactly once."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from hashlib import sha256

from tongbao.index.chunks import collect
from tongbao.store.record import BlockRecord, HeaderLine


def height_in(connection: sqlite3.Connection) -> int:
    """The last block that an index knows, -1 before the first."""
    return int(connection.execute("SELECT height FROM state").fetchone()[0])


def begin_in(connection: sqlite3.Connection) -> tuple[int, int]:
    """The last block that an index knows, and the first that it was made to know."""
    height, first = connection.execute("SELECT height, first FROM state").fetchone()
    return int(height), int(first)


def hash_of(block: BlockRecord | HeaderLine) -> bytes:
    """What tells a block from any other of its height."""
    return sha256(block.header).digest()


def begin_after(connection: sqlite3.Connection, line: HeaderLine) -> None:
    """Let an empty index begin with the block after this one, whose body is not to be had."""
    assert height_in(connection) < 0, "an index with blocks goes on with the next"
    connection.execute(
        "UPDATE state SET first = ?, height = ?, header = ?",
        (line.height + 1, line.height, hash_of(line)),
    )


def add_blocks(connection: sqlite3.Connection, records: Sequence[BlockRecord]) -> None:
    """Take in blocks in one step: all of them, or none when it raises sqlite3.Error.

    Blocks that the index knows change nothing; a gap is our own bug.
    """
    height = height_in(connection)
    new = [record for record in records if record.height > height]
    if not new:
        return
    heights = [record.height for record in new]
    assert heights == list(range(height + 1, height + 1 + len(new))), "blocks are missing"
    chunks: list[tuple[int, int, bytes]] = []
    postings: list[tuple[int, int]] = []
    for record in new:
        collect(record, chunks, postings)
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany("INSERT INTO chunks VALUES (?, ?, ?)", chunks)
        connection.executemany("INSERT INTO postings VALUES (?, ?)", sorted(postings))
        last = new[-1]
        connection.execute("UPDATE state SET height = ?, header = ?", (last.height, hash_of(last)))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
