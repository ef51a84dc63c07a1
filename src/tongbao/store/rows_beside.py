"""Rows of one height after the other, read beside the process that writes them.

A snapshot is a read transaction: whatever is read in it is of one height. It is begun for one
request and ends with it, so that LMDB never keeps pages for long (`foreign.py` says why).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lmdb
from msgspec import DecodeError

from tongbao.store.errors import StoreError
from tongbao.store.foreign import ForeignRows
from tongbao.store.record import Status, decode_status
from tongbao.store.state import COUNT_KEY, HEIGHT_KEY


class RowsAt:
    """The rows and statuses of one height, as long as the snapshot lives."""

    def __init__(self, transaction: lmdb.Transaction, rows: Any, status: Any, meta: Any) -> None:
        """Made by `RowsBeside.snapshot`."""
        self._transaction: Any = transaction
        self._rows, self._status, self._meta = rows, status, meta
        self.height = int(transaction.get(HEIGHT_KEY, b"-1", db=meta))

    def end(self) -> None:
        """Let the transaction go: LMDB's table has a place for it until nobody refers to it."""
        self._transaction = None

    @property
    def hashed_rows(self) -> int | None:
        """How many rows are under the root, None where whoever wrote them did not say."""
        found = self._transaction.get(COUNT_KEY, db=self._meta)
        return None if found is None else int(found)

    def get(self, key: bytes) -> bytes | None:
        """The value under a full key."""
        found: bytes | None = self._transaction.get(key, db=self._rows)
        return found

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Pairs from `start` on and before `stop`, ascending."""
        with self._transaction.cursor(db=self._rows) as cursor:
            if cursor.set_range(start):
                pairs: Any = cursor
                for key, value in pairs:
                    if key >= stop:
                        return
                    yield key, value

    def status(self, transaction_id: bytes) -> Status | None:
        """Where a transaction stands that was decided up to this height."""
        found = self._transaction.get(transaction_id, db=self._status)
        return None if found is None else decode_status(found)


class RowsBeside(ForeignRows):
    """The rows in the folder `state/` of a chain that another process writes, for many threads."""

    def __init__(self, folder: Path) -> None:
        """Open them to read. Raises StoreError."""
        super().__init__(folder)
        try:
            self._status = self._environment.open_db(b"status", create=False)
        except lmdb.Error as error:
            self._environment.close()
            raise StoreError(f"{folder} can't be read ({error}): ask the node") from error
        self._file = (folder / "data.mdb").stat().st_ino
        self._changed = threading.Condition()
        self._begun = 0
        self._is_growing = False

    @property
    def is_replaced(self) -> bool:
        """Whether these rows were made anew meanwhile, in another file: open that instead."""
        try:
            return (self._folder / "data.mdb").stat().st_ino != self._file
        except FileNotFoundError:
            return True

    @contextmanager
    def snapshot(self) -> Iterator[RowsAt]:
        """Rows of one height. Raises StoreError."""
        with self._changed:
            while self._is_growing:
                self._changed.wait()
            self._begun += 1
        try:
            with self._begin() as transaction:
                found = RowsAt(transaction, self._rows, self._status, self._meta)
                try:
                    yield found
                finally:
                    found.end()
        except (lmdb.Error, DecodeError) as error:
            raise StoreError(f"{self._folder} can't be read ({error})") from error
        finally:
            with self._changed:
                self._begun -= 1
                self._changed.notify_all()

    def _begin(self) -> lmdb.Transaction:
        while True:
            try:
                return self._environment.begin()
            except lmdb.MapResizedError:
                self._grow()

    def _grow(self) -> None:
        """Take over the map of a writer that has grown: pages of no transaction may move then."""
        with self._changed:
            self._begun -= 1
            if self._is_growing:
                while self._is_growing:
                    self._changed.wait()
            else:
                self._is_growing = True
                try:
                    while self._begun:
                        self._changed.wait()
                    self._environment.set_mapsize(0)
                finally:
                    self._is_growing = False
                    self._changed.notify_all()
            self._begun += 1
