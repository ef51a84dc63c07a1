"""What the index asks of a database, whichever it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

from tongbao.store.errors import StoreError

Row = tuple[Any, ...]
Value = int | str | bytes


class DatabaseFailed(OSError):
    """PostgreSQL did not do what it was asked, or can't be reached; the text says what it said."""


class IndexAhead(DatabaseFailed):
    """A shared database knows a later block than the chain that would feed it has come to."""


class BadAddress(StoreError):
    """What should name a database does not, or has a password in it."""

    exit_code = 78


class IndexInUse(StoreError):
    """Another process feeds the same tables."""

    exit_code = 75


FAILURES: Final = (sqlite3.Error, OSError)
"""What reading and writing an index raise when its database fails."""


class Session(Protocol):
    """A connection inside one transaction: all that it reads is of one moment."""

    def rows(self, statement: str, *values: Value) -> list[Row]:
        """The rows that a statement of `tables.py` finds. Raises `FAILURES`."""

    def run(self, statement: str, *values: Value) -> None:
        """Carry out a statement that finds nothing. Raises `FAILURES`."""

    def put(self, table: str, rows: Sequence[Row]) -> None:
        """Add rows to a table that grows. Raises `FAILURES`."""


class Database(Protocol):
    """Where the tables of one chain's index are. Any thread reads, one writes."""

    def reading(self) -> AbstractContextManager[Session]:
        """A transaction that reads. Raises `FAILURES`."""

    def writing(self) -> AbstractContextManager[Session]:
        """A transaction that writes: all of it, or nothing when it raises. Raises `FAILURES`."""

    def prepare(self) -> None:
        """Be who writes: connected, with tables, alone. Raises `FAILURES`."""

    def withdraw(self) -> None:
        """Be no longer who writes, where another one can be, until the next `prepare`."""

    def begin_anew(self) -> None:
        """Have empty tables, whatever was in them. Raises `FAILURES`."""

    def close(self) -> None:
        """Give everything free. May be called again."""
