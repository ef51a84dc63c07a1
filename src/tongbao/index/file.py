"""The file of an index in SQLite: how it is opened, and what is done with one that is no use.

An index holds nothing that the log does not: a damaged or older file is set aside and made anew.
One that a newer version made, or that belongs to another chain, is refused, since somebody has put
the wrong things together.
"""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path
from typing import Final

from tongbao.index.tables import BEGIN, OWNER, SQLITE, VERSION, creation
from tongbao.store.errors import WrongChain, WrongVersion
from tongbao.store.log import FULL

log = logging.getLogger("tongbao.index")

APPLICATION: Final = 0x544F4E47
"""`TONG`: what tells an index from any other SQLite file."""

NO_SPACE: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})
"""Of the file itself, and of the one that SQLite maps beside it."""

CACHE_KIB: Final = 32_768
BUSY_S: Final = 5.0


class Unusable(Exception):
    """The file is no whole index of this version; the text says why."""


def open_file(path: Path | None, chain: str) -> sqlite3.Connection:
    """The connection that writes. Raises WrongChain, WrongVersion; OSError, sqlite3.Error."""
    if path is None:
        return _begun(_connect(":memory:"), chain)
    if path.exists():
        try:
            return _existing(path, chain)
        except (Unusable, sqlite3.DatabaseError) as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            log.warning("index: %s; it is set aside and made anew from the log", error)
            set_aside(path)
    else:
        _remove_companions(path)
    return _begun(_connect(_address(path)), chain)


def open_beside(path: Path, chain: str) -> sqlite3.Connection:
    """A second connection that writes, to a file that another process has opened and judged.

    Raises sqlite3.Error, and WrongChain where somebody has put another file in its place.
    """
    connection = _connect(f"{_address(path)}?mode=rw")
    if connection.execute("SELECT chain FROM state").fetchone() != (chain,):
        raise WrongChain(f"{path} is not the index of {chain}")
    _tune(connection)
    return connection


def open_reader(path: Path, chain: str) -> sqlite3.Connection:
    """A connection that can't write, to an index that is there. Raises sqlite3.Error."""
    connection = _connect(f"{_address(path)}?mode=ro")
    try:
        connection.execute("PRAGMA query_only = ON")
        if connection.execute(OWNER).fetchone() != (VERSION, chain):
            raise sqlite3.OperationalError(f"{path.name} is not the index of {chain}")
    except BaseException:
        connection.close()
        raise
    return connection


def is_full(error: Exception) -> bool:
    """Whether an error only means that there is no space for an index."""
    if isinstance(error, OSError):
        return error.errno in FULL
    return getattr(error, "sqlite_errorcode", None) in NO_SPACE


def set_aside(path: Path) -> None:
    """Rename a file that can't be used, in the place of one that was set aside before."""
    path.replace(path.with_name(f"{path.name}.damaged"))
    _remove_companions(path)


def _connect(place: str) -> sqlite3.Connection:
    """A connection that any thread may use, one at a time; transactions begin when we say so."""
    return sqlite3.connect(
        place, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )


def _address(path: Path) -> str:
    return path.absolute().as_uri()


def _remove_companions(path: Path) -> None:
    """What SQLite keeps beside a file means nothing to another one of the same name."""
    for ending in ("-wal", "-shm", "-journal"):
        path.with_name(f"{path.name}{ending}").unlink(missing_ok=True)


def _existing(path: Path, chain: str) -> sqlite3.Connection:
    connection = _connect(_address(path))
    try:
        _judge(connection, path, chain)
        _tune(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _judge(connection: sqlite3.Connection, path: Path, chain: str) -> None:
    """Whether a file is a whole index of this version and chain."""
    judge_version(connection, path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    judge_size(connection, path)
    judge_chain(connection, path, chain)


def judge_version(connection: sqlite3.Connection, path: Path) -> None:
    """Whether a file is an index of this version. Raises Unusable, WrongVersion."""
    if _pragma(connection, "application_id") != APPLICATION:
        raise Unusable(f"{path.name} is no index")
    version = _pragma(connection, "user_version")
    if version > VERSION:
        raise WrongVersion(
            f"{path} is an index of version {version}, this program reads {VERSION}: install the "
            "newer one, or remove the file and it is made anew"
        )
    if version < VERSION:
        raise Unusable(f"{path.name} is of version {version}, older than {VERSION}")


def judge_size(connection: sqlite3.Connection, path: Path) -> None:
    """Whether a file without a journal has all its pages. Raises Unusable."""
    pages, size = _pragma(connection, "page_count"), _pragma(connection, "page_size")
    if path.stat().st_size != pages * size:
        raise Unusable(f"{path.name} was cut short")


def judge_chain(connection: sqlite3.Connection, path: Path, chain: str) -> None:
    """Whether a file is the index of this chain. Raises Unusable, WrongChain."""
    found = connection.execute("SELECT chain FROM state").fetchone()
    if found is None:
        raise Unusable(f"{path.name} does not name its chain")
    if found[0] != chain:
        raise WrongChain(
            f"{path} is an index of the chain {found[0]}, not of {chain}: put the right file "
            "there, or remove it and it is made anew"
        )


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _tune(connection: sqlite3.Connection) -> None:
    """No sync at each commit: what a power cut takes away is fed again."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")


def _begun(connection: sqlite3.Connection, chain: str) -> sqlite3.Connection:
    """An empty index: whole in one transaction, so that a killed process leaves all or nothing."""
    _tune(connection)
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        for statement in creation(SQLITE):
            connection.execute(statement)
        connection.execute(BEGIN, (VERSION, chain, b""))
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
    return connection
