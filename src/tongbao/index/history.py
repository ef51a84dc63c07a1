"""The index of one chain: takes in blocks in order, and answers what happened before a place."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from tongbao.index.adding import add_blocks, begin_after, begin_in, hash_of, height_in
from tongbao.index.answers import Movement, Movements, Recalled, Transactions
from tongbao.index.chunks import entries_before, number_of
from tongbao.index.cursor import cursor_of, height_of, index_of, place_of, read_cursor
from tongbao.index.entries import Entry, Moving
from tongbao.index.file import open_file, open_reader, set_aside
from tongbao.store.closable import Closable
from tongbao.store.record import BlockRecord, HeaderLine

FILE: Final = "index.sqlite"

Wanted = Callable[[Moving], bool]
Sought = Callable[[Entry], bool]


class Index(Closable):
    """History of one chain. One thread adds, any thread reads; close it when all are done."""

    def __init__(self, path: Path | None, chain: str) -> None:
        """Use `open`."""
        self.path = path
        self.chain = chain
        self._lock = threading.RLock()
        self._idle: list[sqlite3.Connection] = []
        self._writer = open_file(path, chain)
        self._generation = 0

    @classmethod
    def open(cls, path: Path | None, chain_id: str) -> Self:
        """Open or make an index; without a path it is in memory.

        A damaged or older file is set aside and begun anew. Raises WrongChain, WrongVersion,
        OSError, sqlite3.OperationalError.
        """
        return cls(path, chain_id)

    # Feeding

    @property
    def height(self) -> int:
        """The last block that it knows, -1 before the first."""
        with self._reading() as reader:
            return height_in(reader)

    @property
    def first(self) -> int:
        """The block that it was begun with: what was before had been pruned by then."""
        with self._reading() as reader:
            return begin_in(reader)[1]

    def follows(self, block: BlockRecord | HeaderLine) -> bool:
        """Whether the last block that it knows is this one, and not another of its height."""
        with self._lock:
            found = self._writer.execute("SELECT height, header FROM state").fetchone()
        return bool(found == (block.height, hash_of(block)))

    def add(self, records: Sequence[BlockRecord]) -> None:
        """Take in blocks in one step: all of them, or none when it raises sqlite3.Error.

        Blocks that it knows change nothing; a gap is our own bug.
        """
        with self._lock:
            add_blocks(self._writer, records)

    def begin_after(self, line: HeaderLine) -> None:
        """Let it begin with the block after this one, while it is empty. Raises sqlite3.Error."""
        with self._lock:
            begin_after(self._writer, line)

    def begin_anew(self) -> None:
        """Set the file aside and start empty. Raises OSError and others."""
        with self._lock:
            self._generation += 1
            self._close_idle()
            self._writer.close()
            if self.path is not None and self.path.exists():
                set_aside(self.path)
            self._writer = open_file(self.path, self.chain)

    # Reading

    def movements_of(
        self, account: str, *, asset: str | None = None, before: str | None = None, limit: int = 50
    ) -> Movements:
        """Movements from or to an account, of one asset where given. Raises CursorError."""

        def wanted(moving: Moving) -> bool:
            touched = account in (moving.payer, moving.payee)
            return touched and asset in (None, moving.asset)

        return self._movements(number_of(account), wanted, before, limit)

    def movements_of_asset(
        self, asset: str, *, before: str | None = None, limit: int = 50
    ) -> Movements:
        """Movements of an asset. Raises CursorError."""
        return self._movements(
            number_of(asset), lambda moving: moving.asset == asset, before, limit
        )

    def transactions_of(
        self, account: str, *, before: str | None = None, limit: int = 50
    ) -> Transactions:
        """What an account sent, and whatever moved value from or to it. Raises CursorError."""

        def sought(entry: Entry) -> bool:
            if entry.sender == account:
                return True
            return any(account in (moving.payer, moving.payee) for moving in entry.moved)

        return self._transactions(number_of(account), sought, before, limit)

    def by_reference(
        self, reference: str, *, before: str | None = None, limit: int = 50
    ) -> Transactions:
        """Transactions that bear a reference, or a message that does. Raises CursorError."""
        sought = number_of(reference)
        return self._transactions(
            sought, lambda entry: reference in entry.references, before, limit
        )

    def _movements(self, name: int, wanted: Wanted, before: str | None, limit: int) -> Movements:
        end = read_cursor(before)
        found: list[Movement] = []
        with self._reading() as reader:
            height, first = begin_in(reader)
            for at, time, entry in entries_before(reader, name, end[0]):
                if entry is None:
                    return Movements(height, tuple(found), cursor_of(at, 0), first)
                for nth in range(len(entry.moved) - 1, -1, -1):
                    if (at, nth) >= end or not wanted(entry.moved[nth]):
                        continue
                    if len(found) == limit:
                        last = found[-1]
                        end_of_page = cursor_of(place_of(last.height, last.index), last.place)
                        return Movements(height, tuple(found), end_of_page, first)
                    found.append(_movement(at, nth, time, entry))
        return Movements(height, tuple(found), None, first)

    def _transactions(
        self, name: int, sought: Sought, before: str | None, limit: int
    ) -> Transactions:
        end, _ = read_cursor(before)
        found: list[Recalled] = []
        with self._reading() as reader:
            height, first = begin_in(reader)
            for at, time, entry in entries_before(reader, name, end):
                if entry is None:
                    return Transactions(height, tuple(found), cursor_of(at, 0), first)
                if at >= end or not sought(entry):
                    continue
                if len(found) == limit:
                    last = found[-1]
                    end_of_page = cursor_of(place_of(last.height, last.index), 0)
                    return Transactions(height, tuple(found), end_of_page, first)
                found.append(_recalled(at, time, entry))
        return Transactions(height, tuple(found), None, first)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection in a read transaction: all that it answers is of one height."""
        if self.path is None:
            with self._lock:
                yield self._writer
            return
        with self._lock:
            generation = self._generation
            reader = self._idle.pop() if self._idle else open_reader(self.path)
        kept = False
        try:
            reader.execute("BEGIN")
            try:
                yield reader
            finally:
                reader.execute("COMMIT")
            with self._lock:
                kept = generation == self._generation
                if kept:
                    self._idle.append(reader)
        finally:
            if not kept:
                reader.close()

    # Closing

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def close(self) -> None:
        """Give the file free. May be called again."""
        with self._lock:
            self._generation += 1
            self._close_idle()
            self._writer.close()


def _movement(at: int, nth: int, time: int, entry: Entry) -> Movement:
    moving = entry.moved[nth]
    return Movement(
        height=height_of(at),
        index=index_of(at),
        place=nth,
        time=time,
        id=entry.id.hex(),
        asset=moving.asset,
        amount=moving.amount,
        payer=moving.payer,
        payee=moving.payee,
        reference=moving.reference,
    )


def _recalled(at: int, time: int, entry: Entry) -> Recalled:
    return Recalled(
        height=height_of(at),
        index=index_of(at),
        time=time,
        id=entry.id.hex(),
        sender=entry.sender,
        number=entry.number,
        reference=entry.reference,
        movements=len(entry.moved),
    )
