"""Reading the rows of a chain from another process, beside the one that writes them.

LMDB keeps every page that a read transaction may still see, so a reader that stays makes the file
grow. Here none stays: a read is one page of rows, in a transaction that is begun for it and ends
with it, after 5 s at the latest. Whoever needs more than a page asks for the next one, and sees by
its height whether the rows have moved on meanwhile. The exception is a copy of all rows, which is
of one moment or none: its transaction lives as long as the disk copies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Final, NamedTuple

import lmdb
from msgspec import Struct

from tongbao.store.base import base_heights, base_name, begins_in
from tongbao.store.closable import Closable
from tongbao.store.disk import RealDisk
from tongbao.store.errors import DiskFull, FolderInUse, StoreError
from tongbao.store.headers import read_lines
from tongbao.store.log import FULL
from tongbao.store.looking import records_of
from tongbao.store.record import HeaderLine, line_of
from tongbao.store.recovery import NO_BASE, scan
from tongbao.store.snapshot.names import HISTORY
from tongbao.store.state import (
    CHAIN_KEY,
    DATABASES,
    FORMAT_KEY,
    HEIGHT_KEY,
    processes_in,
)

LONGEST_S: Final = 5.0
PAGE_ROWS: Final = 10_000


class Page(Struct, frozen=True):
    """Some rows, ascending, true at `height`; `following` is where the next page starts, if any."""

    height: int
    rows: tuple[tuple[bytes, bytes], ...]
    following: bytes | None


class RowsHead(NamedTuple):
    """What rows say of themselves: whose they are, in which format, up to which block."""

    chain: str
    format: str
    height: int


class ForeignRows(Closable):
    """The rows in the folder `state/` of a chain that another process may have open."""

    def __init__(
        self, folder: Path, *, clock: Callable[[], float] = monotonic, is_alone: bool = False
    ) -> None:
        """Open them to read. Raises StoreError. `clock` gives seconds that never run backwards.

        With `is_alone` the caller keeps every writer away, and no byte of the folder changes: LMDB
        has no need of its table of readers then.
        """
        self._clock = clock
        self._folder = folder
        try:
            self._environment = lmdb.open(
                str(folder),
                max_dbs=DATABASES,
                create=False,
                readonly=True,
                lock=not is_alone,
                max_spare_txns=0,
            )
        except lmdb.Error as error:
            raise _unread(folder, error) from error
        try:
            self._environment.reader_check()
            self._rows = self._environment.open_db(b"rows", create=False)
            self._meta = self._environment.open_db(b"meta", create=False)
        except lmdb.Error as error:
            self._environment.close()
            raise _unread(folder, error) from error

    @contextmanager
    def _reading(self) -> Iterator[lmdb.Transaction]:
        """A transaction for one read. The map of a writer that has grown is taken over."""
        try:
            try:
                found = self._environment.begin()
            except lmdb.MapResizedError:
                self._environment.set_mapsize(0)
                found = self._environment.begin()
            with found as transaction:
                yield transaction
        except lmdb.Error as error:
            raise _unread(self._folder, error) from error

    def head(self) -> RowsHead:
        """What they say of themselves. Raises StoreError."""
        with self._reading() as transaction:
            chain, version, height = (
                bytes(transaction.get(key, b"", db=self._meta)).decode("ascii", "replace")
                for key in (CHAIN_KEY, FORMAT_KEY, HEIGHT_KEY)
            )
        try:
            return RowsHead(chain, version, int(height))
        except ValueError as error:
            raise StoreError(f"{self._folder} is damaged ({error})") from error

    def readers(self) -> list[str]:
        """The ids of other processes that read them at this moment."""
        return processes_in(self._environment.readers())

    def get(self, key: bytes) -> bytes | None:
        """The value under a full key. Raises StoreError."""
        with self._reading() as transaction:
            found = transaction.get(key, db=self._rows)
            return None if found is None else bytes(found)

    def page(self, start: bytes, stop: bytes, limit: int = PAGE_ROWS) -> Page:
        """Up to `limit` pairs from `start` on and before `stop`. Raises StoreError.

        It ends early, with a page that follows, where a transaction would live for 5 s.
        """
        assert limit > 0
        until = self._clock() + LONGEST_S
        rows: list[tuple[bytes, bytes]] = []
        with self._reading() as transaction:
            height = int(transaction.get(HEIGHT_KEY, b"-1", db=self._meta))
            with transaction.cursor(db=self._rows) as cursor:
                is_there = cursor.set_range(start)
                while is_there and bytes(cursor.key()) < stop:
                    if rows and (len(rows) == limit or self._clock() >= until):
                        return Page(height, tuple(rows), bytes(cursor.key()))
                    rows.append((bytes(cursor.key()), bytes(cursor.value())))
                    is_there = cursor.next()
        return Page(height, tuple(rows), None)

    def copy_to(self, descriptor: int) -> None:
        """Write the rows as they are at one moment into an open file, as LMDB would keep them.

        The file is copied as it stands, at the speed of the disk, in one transaction: the writer
        goes on meanwhile. Raises DiskFull, StoreError.
        """
        try:
            with self._reading():
                pass  # the map of a writer that has grown is taken over
            self._environment.copyfd(descriptor)
        except lmdb.Error as error:
            if error.code in FULL:
                raise DiskFull(f"there is no space for a copy of {self._folder}") from error
            raise _unread(self._folder, error) from error

    def close(self) -> None:
        """Give the environment free."""
        self._environment.close()


def foreign_header(folder: Path, chain: str, height: int) -> bytes:
    """The signed header of a block in a chain's folder that another process may have open.

    It is in the copy of the headers, else in a base or in the log. Raises StoreError, OSError.
    """
    for line in _headers(folder, chain, max(height, begins_in(folder)), height):
        return line.header
    raise _no_header(folder, height)


def foreign_headers(folder: Path, chain: str, height: int) -> Iterator[HeaderLine]:
    """The headers of the blocks from the first that is known to `height`, likewise.

    Raises StoreError, OSError.
    """
    return _headers(folder, chain, begins_in(folder), height)


def _headers(folder: Path, chain: str, following: int, last: int) -> Iterator[HeaderLine]:
    """The headers from one on to another; a base and the log complete what the copy lacks."""
    begins = begins_in(folder)
    bases = [folder / base_name(each) / HISTORY for each in reversed(base_heights(folder))]
    for path in (each / "headers" for each in (folder, *bases)):
        if following <= last and path.exists():
            with path.open("rb") as file:
                for line, _ in islice(
                    read_lines(file, chain, begins), following - begins, last + 1 - begins
                ):
                    yield line
                    following = line.height + 1
    if following <= last:
        for line in _headers_of_log(folder, chain, following, last):
            yield line
            following = line.height + 1
    if following <= last:
        raise _no_header(folder, following)


def _headers_of_log(folder: Path, chain: str, first: int, last: int) -> Iterator[HeaderLine]:
    """The headers of these heights, none where the log lacks the first. Raises DamagedLog."""
    disk = RealDisk()
    heights = base_heights(folder)
    found = scan(disk, folder / "log", chain, 0, heights[-1] if heights else NO_BASE)
    if found.first <= first:
        yield from map(line_of, islice(records_of(disk, found, first), last + 1 - first))


def _no_header(folder: Path, height: int) -> StoreError:
    return StoreError(
        f"{folder} has no header of block {height}: try again in a moment, or open the chain once"
    )


def _unread(folder: Path, error: lmdb.Error) -> StoreError:
    if isinstance(error, lmdb.ReadersFullError):
        return FolderInUse(
            f"as many transactions of other processes read {folder} as its table has room for: "
            "end some of them, then try again"
        )
    return StoreError(f"{folder} can't be read ({error}): check the path, or ask the node")
