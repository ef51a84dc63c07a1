"""The index in SQLite: a file beside the chain, or in memory."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tongbao.index.database import Row, Value
from tongbao.index.file import open_file, open_reader, set_aside
from tongbao.index.tables import INSERTIONS


class SqliteSession:
    """A connection inside a transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Of this connection."""
        self._connection = connection

    def rows(self, statement: str, *values: Value) -> list[Row]:
        """The rows that a statement finds. Raises sqlite3.Error."""
        return self._connection.execute(statement, values).fetchall()

    def run(self, statement: str, *values: Value) -> None:
        """Carry out a statement. Raises sqlite3.Error."""
        self._connection.execute(statement, values)

    def put(self, table: str, rows: Sequence[Row]) -> None:
        """Add rows. Raises sqlite3.Error."""
        self._connection.executemany(INSERTIONS[table], rows)


@contextmanager
def written(connection: sqlite3.Connection) -> Iterator[SqliteSession]:
    """A transaction that writes: all of it, or nothing when it raises. Raises sqlite3.Error."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield SqliteSession(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


class _Reader(NamedTuple):
    """A connection that reads, and which file it has open."""

    connection: sqlite3.Connection
    file: tuple[int, int]


class EmbeddedDatabase:
    """The tables of one chain's index in SQLite. One thread writes, any thread reads."""

    def __init__(self, path: Path | None, chain: str, *, writes: bool = True) -> None:
        """Open or make the file; without a path it is in memory, without `writes` it is only read.

        A damaged or older file is set aside and begun anew by who writes. Raises WrongChain,
        WrongVersion, OSError, sqlite3.OperationalError.
        """
        assert writes or path is not None, "an index in memory is of this process"
        self._path = path
        self._chain = chain
        self._lock = threading.RLock()
        self._idle: list[_Reader] = []
        self._writer = open_file(path, chain) if writes else None
        self._is_closed = False

    @contextmanager
    def reading(self) -> Iterator[SqliteSession]:
        """A transaction that reads, of the file that has the name now. Raises sqlite3.Error."""
        if self._path is None:
            assert self._writer is not None
            with self._lock:
                yield SqliteSession(self._writer)
            return
        reader = self._taken(self._path)
        kept = False
        try:
            reader.connection.execute("BEGIN")
            try:
                yield SqliteSession(reader.connection)
            finally:
                reader.connection.execute("COMMIT")
            with self._lock:
                kept = not self._is_closed
                if kept:
                    self._idle.append(reader)
        finally:
            if not kept:
                reader.connection.close()

    def _taken(self, path: Path) -> _Reader:
        """A connection to the file of this name: who writes may have set another one aside."""
        try:
            about = path.stat()
        except OSError as error:
            raise sqlite3.OperationalError(f"{path.name} can't be read") from error
        file = (about.st_dev, about.st_ino)
        with self._lock:
            while self._idle:
                reader = self._idle.pop()
                if reader.file == file:
                    return reader
                reader.connection.close()
        return _Reader(open_reader(path, self._chain), file)

    @contextmanager
    def writing(self) -> Iterator[SqliteSession]:
        """A transaction that writes. Raises sqlite3.Error."""
        with self._lock:
            assert self._writer is not None, "this index is only read"
            with written(self._writer) as session:
                yield session

    def prepare(self) -> None:
        """Nothing: a file that was opened is ready."""

    def withdraw(self) -> None:
        """Nothing: a file is this chain's own."""

    def begin_anew(self) -> None:
        """Set the file aside and start empty. Raises OSError, sqlite3.Error."""
        with self._lock:
            assert self._writer is not None, "this index is only read"
            self._close_idle()
            self._writer.close()
            if self._path is not None and self._path.exists():
                set_aside(self._path)
            self._writer = open_file(self._path, self._chain)

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop().connection.close()

    def close(self) -> None:
        """Give the file free. May be called again."""
        with self._lock:
            self._is_closed = True
            self._close_idle()
            if self._writer is not None:
                self._writer.close()
