"""The index of one chain: takes in blocks in order, and answers what happened before a place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from tongbao.index.adding import add_blocks, begin_after, hash_of
from tongbao.index.address import FILE, Place
from tongbao.index.reading import Reading, opened
from tongbao.index.tables import STATE
from tongbao.store.record import BlockRecord, HeaderLine

__all__ = ["FILE", "Index"]


class Index(Reading):
    """History of one chain. One thread adds, any thread reads; close it when all are done."""

    @classmethod
    def open(cls, place: Place, chain_id: str) -> Self:
        """Open or make an index; without a place it is in memory.

        A damaged or older file is set aside and begun anew. Raises WrongChain, WrongVersion,
        OSError, sqlite3.OperationalError.
        """
        return cls(opened(place, chain_id, writes=True), place, chain_id)

    def prepare(self) -> None:
        """Be who adds: what it says of its height is then nobody else's to change. `FAILURES`."""
        self._database.prepare()

    def withdraw(self) -> None:
        """Let another one add, where one can, until the next `prepare`."""
        self._database.withdraw()

    def follows(self, block: BlockRecord | HeaderLine) -> bool:
        """Whether the last block that it knows is this one, and not another of its height."""
        with self._database.reading() as session:
            height, _, header = session.rows(STATE)[0]
        return (height, bytes(header)) == (block.height, hash_of(block))

    def add(self, records: Sequence[BlockRecord]) -> None:
        """Take in blocks in one step: all of them, or none when it raises one of `FAILURES`.

        Blocks that it knows change nothing; a gap is our own bug.
        """
        with self._database.writing() as session:
            add_blocks(session, records)

    def begin_after(self, line: HeaderLine) -> None:
        """Let it begin with the block after this one, while it is empty. Raises `FAILURES`."""
        with self._database.writing() as session:
            begin_after(session, line)

    def begin_anew(self) -> None:
        """Set the file aside, or empty the tables, and start anew. Raises `FAILURES`."""
        self._database.begin_anew()
