"""The index in a PostgreSQL database: the same tables, in the schema `tongbao`.

One node writes, which an advisory lock of the database sees to for as long as its connection lives;
any process reads. A connection that is lost is made again by whoever needs it next. Who connects is
said by libpq's own means: an address has no password.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Final

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import LockNotAvailable, UndefinedColumn

from tongbao.index.address import check_address
from tongbao.index.database import BadAddress, DatabaseFailed, IndexInUse, Row, Value
from tongbao.index.tables import BEGIN, COLUMNS, OWNER, POSTGRESQL, VERSION, creation
from tongbao.store.errors import StoreError, WrongChain, WrongVersion

log = logging.getLogger("tongbao.index")

CONNECT_S: Final = 5
SILENCE_MS: Final = 10_000
"""How long a server may leave what was sent unacknowledged, before the connection counts as lost.
"""
STATEMENT_MS: Final = 60_000
LOCK_MS: Final = 5_000
"""How long a node waits for another one that feeds the same tables and may be ending."""
READERS: Final = 8
"""Connections that read, at most."""
LOCK: Final = 0x544F4E47
TYPES: Final = {
    "chunks": ("int8", "int8", "bytea"),
    "postings": ("int8", "int8", "int2"),
    "texts": ("bytea", "int8"),
}
SETTINGS: Final = (
    "SET search_path TO tongbao",
    f"SET statement_timeout = {STATEMENT_MS}",
    f"SET lock_timeout = {LOCK_MS}",
    # Every statement goes by a key. Without statistics the server guesses, and may read a table.
    "SET enable_seqscan = off",
    "SET enable_bitmapscan = off",
    "SET enable_hashjoin = off",
    "SET enable_mergejoin = off",
    "SET jit = off",  # which takes 40 ms where it thinks that a statement is dear
)

Connection = psycopg.Connection[Row]


class PostgresqlSession:
    """A connection inside a transaction."""

    def __init__(self, connection: Connection) -> None:
        """Of this connection."""
        self._connection = connection

    def rows(self, statement: str, *values: Value) -> list[Row]:
        """The rows that a statement finds. Raises psycopg.Error."""
        return self._connection.execute(_spelled(statement), values, binary=True).fetchall()

    def run(self, statement: str, *values: Value) -> None:
        """Carry out a statement. Raises psycopg.Error."""
        self._connection.execute(_spelled(statement), values)

    def put(self, table: str, rows: Sequence[Row]) -> None:
        """Add rows. Raises psycopg.Error."""
        columns = sql.SQL(", ").join(map(sql.Identifier, COLUMNS[table]))
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)")
        with self._connection.cursor() as cursor:
            asked = statement.format(sql.Identifier(table), columns)
            with cursor.copy(asked) as copy:
                copy.set_types(TYPES[table])
                for row in rows:
                    copy.write_row(row)


class PostgresqlDatabase:
    """The tables of one chain's index in PostgreSQL. One process writes, any reads."""

    def __init__(self, address: str, chain: str, *, writes: bool) -> None:
        """Connect, and have the tables; where the server can't be reached, that is tried later.

        Raises BadAddress, WrongChain, WrongVersion, IndexInUse.
        """
        _check(address)
        self._address = address
        self._chain = chain
        self._lock = threading.RLock()
        self._idle: list[Connection] = []
        self._places = threading.BoundedSemaphore(READERS)
        self._writer: Connection | None = None
        self._writes = writes
        self._is_closed = False
        if writes:
            try:
                self._writer = self._new_writer()
            except DatabaseFailed as error:
                log.error("index: %s; the node goes on without it, and tries again", error)

    @contextmanager
    def reading(self) -> Iterator[PostgresqlSession]:
        """A transaction that reads. Raises DatabaseFailed."""
        if not self._places.acquire(timeout=CONNECT_S):
            raise DatabaseFailed(f"all {READERS} connections that read are in use")
        try:
            reader = self._taken()
            kept = False
            try:
                with _told(), reader.transaction():
                    yield PostgresqlSession(reader)
                with self._lock:
                    kept = not self._is_closed
                    if kept:
                        self._idle.append(reader)
            finally:
                if not kept:
                    reader.close()
        finally:
            self._places.release()

    def _taken(self) -> Connection:
        """A connection that reads: one that is still alive, or a new one."""
        while True:
            with self._lock:
                reader = self._idle.pop() if self._idle else None
            if reader is None:
                return self._new_reader()
            try:
                reader.execute("SELECT 1")
            except psycopg.Error:
                reader.close()
            else:
                return reader

    def _new_reader(self) -> Connection:
        reader = self._connected()
        try:
            with _told():
                reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                reader.read_only = True
                if reader.execute(OWNER).fetchone() != (VERSION, self._chain):
                    raise DatabaseFailed(f"the database has no index of {self._chain} that is fed")
        except BaseException:
            reader.close()
            raise
        return reader

    @contextmanager
    def writing(self) -> Iterator[PostgresqlSession]:
        """A transaction that writes. Raises DatabaseFailed."""
        assert self._writes, "this index is only read"
        with self._lock:
            writer = self._living_writer()
            try:
                with _told(), writer.transaction():
                    yield PostgresqlSession(writer)
            except DatabaseFailed:
                # Whether it was committed is found out by reading, on a connection that is whole.
                self._writer = None
                writer.close()
                raise

    def _living_writer(self) -> Connection:
        if self._writer is None:
            try:
                self._writer = self._new_writer()
            except StoreError as error:
                raise DatabaseFailed(str(error)) from error
        return self._writer

    def _new_writer(self) -> Connection:
        """The connection that has the lock. Raises DatabaseFailed, StoreError."""
        writer = self._connected()
        try:
            with _told():
                try:
                    writer.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
                except LockNotAvailable:
                    raise IndexInUse(
                        "another node feeds the index in this database: stop it, or name a "
                        "database of this node's own"
                    ) from None
                with writer.transaction():
                    self._have_tables(writer)
        except BaseException:
            writer.close()
            raise
        return writer

    def _have_tables(self, writer: Connection) -> None:
        """Judge the tables that are there, and make them where there are none of this version."""
        there = writer.execute("SELECT to_regclass('tongbao.state') IS NOT NULL").fetchone()
        if there != (True,):
            writer.execute("CREATE SCHEMA IF NOT EXISTS tongbao")
            return self._make(writer)
        try:
            with writer.transaction():
                found = writer.execute(OWNER).fetchone()
        except UndefinedColumn:
            found = None
        version, chain = found or (0, self._chain)
        if version > VERSION:
            raise WrongVersion(
                f"the database has an index of version {version}, this program reads {VERSION}: "
                "install the newer one, or drop the schema `tongbao` and it is made anew"
            )
        if chain != self._chain:
            raise WrongChain(
                f"the database has the index of the chain {chain}, not of {self._chain}: name "
                "another database, or drop its schema `tongbao` and it is made anew"
            )
        if version < VERSION:
            log.warning("index: the database has an older version; it is made anew from the log")
            self._make(writer)
        return None

    def _make(self, writer: Connection) -> None:
        for table in ("state", *COLUMNS):
            writer.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(table)))
        for statement in creation(POSTGRESQL):
            writer.execute(statement.encode())
        writer.execute(_spelled(BEGIN), (VERSION, self._chain, b""))

    def prepare(self) -> None:
        """Connect, if need be, and have the lock and the tables. Raises DatabaseFailed.

        A connection that was lost since it was used is noticed here, and with it the lock.
        """
        with self._lock:
            if self._writer is not None:
                try:
                    self._writer.execute("SELECT 1")
                except psycopg.Error:
                    self.withdraw()
            self._living_writer()

    def withdraw(self) -> None:
        """Give the lock free, so that another node can feed. May be called again."""
        with self._lock:
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    def begin_anew(self) -> None:
        """Empty the tables, all of them or none. Raises DatabaseFailed."""
        with self._lock, self.writing():
            self._make(self._living_writer())

    def _connected(self) -> Connection:
        with _told():
            connection = psycopg.connect(
                self._address,
                autocommit=True,
                connect_timeout=CONNECT_S,
                tcp_user_timeout=SILENCE_MS,
                fallback_application_name="tongbao",
            )
            try:
                for setting in SETTINGS:
                    connection.execute(setting.encode())
            except BaseException:
                connection.close()
                raise
            return connection

    def close(self) -> None:
        """Close the connections. May be called again."""
        with self._lock:
            self._is_closed = True
            while self._idle:
                self._idle.pop().close()
            if self._writer is not None:
                self._writer.close()


@contextmanager
def _told() -> Iterator[None]:
    """Raises DatabaseFailed with what the server or libpq said, in one line."""
    try:
        yield
    except psycopg.Error as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise DatabaseFailed(f"PostgreSQL: {said}") from error


@lru_cache(64)
def _spelled(statement: str) -> bytes:
    return statement.replace("?", "%s").encode()


def _check(address: str) -> None:
    """Whether text is an address of PostgreSQL that may be seen. Raises BadAddress."""
    check_address(address)
    try:
        conninfo_to_dict(address)
    except psycopg.Error:
        # What it says may repeat a part of the text, and that may be a password.
        raise BadAddress(
            "the index's address is none of PostgreSQL's: postgresql://HOST:PORT/DATABASE"
        ) from None
