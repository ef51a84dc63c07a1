"""Taking blocks into an index: whole, in order, each exactly once."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from tongbao.index.chunks import Rows
from tongbao.index.database import Session
from tongbao.index.tables import ADDED, BEGUN_AFTER, STATE
from tongbao.store.record import BlockRecord, HeaderLine


def hash_of(block: BlockRecord | HeaderLine) -> bytes:
    """What tells a block from any other of its height."""
    return sha256(block.header).digest()


def begin_after(session: Session, line: HeaderLine) -> None:
    """Let an empty index begin with the block after this one, whose body is not to be had."""
    assert session.rows(STATE)[0][0] < 0, "an index with blocks goes on with the next"
    session.run(BEGUN_AFTER, line.height + 1, line.height, hash_of(line))


def rows_after(records: Sequence[BlockRecord], height: int) -> Rows:
    """The rows of those blocks that an index of this height lacks; a gap is our own bug."""
    new = [record for record in records if record.height > height]
    heights = [record.height for record in new]
    assert heights == list(range(height + 1, height + 1 + len(new))), "blocks are missing"
    rows = Rows()
    for record in new:
        rows.add(record)
    return rows


def add_blocks(session: Session, records: Sequence[BlockRecord]) -> None:
    """Take in blocks inside a transaction that writes. Raises `FAILURES`.

    Blocks that the index knows change nothing; a gap is our own bug.
    """
    height = session.rows(STATE)[0][0]
    if not records or records[-1].height <= height:
        return
    rows = rows_after(records, height)
    session.put("chunks", rows.chunks)
    session.put("postings", sorted(rows.postings))
    session.put("texts", sorted(rows.texts))
    session.run(ADDED, records[-1].height, hash_of(records[-1]))
