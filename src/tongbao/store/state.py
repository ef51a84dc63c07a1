"""Committed rows in LMDB: a fast copy of what the log says, which the log can rebuild."""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import lmdb
from lmdb import verify as lmdb_verify
from msgspec import DecodeError

from tongbao.store.base import Base
from tongbao.store.disk import Disk, RealDisk
from tongbao.store.errors import (
    DiskFailed,
    DiskFull,
    FolderInUse,
    StoreError,
    WrongChain,
    WrongVersion,
)
from tongbao.store.filling import Databases, fill, map_bytes_for
from tongbao.store.log import FULL
from tongbao.store.pinned import Pin
from tongbao.store.record import BlockRecord, Status, decode_status, encode, statuses_of
from tongbao.store.recovery import NO_BASE
from tongbao.store.sites import Site

log = logging.getLogger("tongbao.store")

FORMAT: Final = b"1"
MAP_BYTES: Final = 1 << 30
MAP_LIMIT_BYTES: Final = 1 << 38
"""How far the map grows: more than rows need, and an end for what a reader that stays costs."""
DATABASES: Final = 3
READERS: Final = 126
LOCK: Final = "lock.mdb"
LOCK_BYTES: Final = 8_192
"""What LMDB makes of it for its 126 readers."""
ROOM: Final = 16 * 1024 * 1024
"""Bytes free below which LMDB's "input/output error" is taken for want of space."""
CHAIN_KEY: Final = b"chain"
FORMAT_KEY: Final = b"format"
HEIGHT_KEY: Final = b"height"
COUNT_KEY: Final = b"hashed rows"
"""How many rows are under the root at that height; left out where nobody has said it."""

# The package gives its verifier no types.
_problems_of: Callable[[str], list[str]] = lmdb_verify.verify


class State:
    """Rows and transaction statuses, up to one height, in the folder `state/`.

    Reads see the last flush, by a read transaction that ends when the next flush begins: it never
    keeps a writer from using pages again. A scan does not outlive a flush.
    """

    map_limit_bytes: int = MAP_LIMIT_BYTES

    def __init__(
        self,
        folder: Path,
        chain: str,
        map_bytes: int = MAP_BYTES,
        *,
        disk: Disk | None = None,
        is_checked: bool = False,
    ) -> None:
        """Open what is there and change nothing; its pages are looked at unless they have been.

        Raises StoreError when it is damaged, WrongChain, WrongVersion: it can be made anew then.
        """
        self._disk = disk or RealDisk()
        if not is_checked:
            check_pages(folder)
        _allot_readers(folder, self._disk)
        try:
            self._environment = lmdb.open(
                str(folder), map_size=map_bytes, max_dbs=DATABASES, mode=0o640, create=False
            )
        except lmdb.Error as error:
            raise _unopened(folder, error) from error
        try:
            self._environment.reader_check()
            self._rows = self._environment.open_db(b"rows", create=False)
            self._status = self._environment.open_db(b"status", create=False)
            self._meta = self._environment.open_db(b"meta", create=False)
            self._folder = folder
            self._pin: Pin | None = None
            self._reader = self._environment.begin()
            self._height = self._check(chain)
        except (lmdb.Error, ValueError) as error:
            self._environment.close()
            raise _unopened(folder, error) from error
        except StoreError:
            self._environment.close()
            raise

    @classmethod
    def create(
        cls,
        folder: Path,
        chain: str,
        map_bytes: int = MAP_BYTES,
        *,
        disk: Disk | None = None,
        base: Base | None = None,
    ) -> State:
        """Put an empty state in the place of whatever is there, or one with the rows of a base.

        It appears whole: a process that ends half way leaves only `state.new`, which the next start
        removes. Raises DiskFull, DiskFailed, BadSnapshot.
        """
        disk = disk or RealDisk()
        size = map_bytes if base is None else max(map_bytes, map_bytes_for(base))
        height = NO_BASE if base is None else base.height
        new = folder.with_name(folder.name + ".new")
        disk.remove(new, Site.ROWS_LEFT_OVER)
        try:
            with disk.writing(Site.ROWS_EMPTY):
                new.mkdir()
                _allot_readers(new, disk)
                with lmdb.open(str(new), map_size=size, max_dbs=DATABASES, mode=0o640) as made:
                    databases = Databases(*map(made.open_db, (b"rows", b"status", b"meta")))
                    with made.begin(db=databases.meta, write=True) as txn:
                        txn.put(CHAIN_KEY, chain.encode())
                        txn.put(FORMAT_KEY, FORMAT)
                        txn.put(HEIGHT_KEY, str(height).encode())
                    if base is not None:
                        fill(made, databases, base, disk)
        except lmdb.Error as error:
            raise _unwritten(folder.parent, error) from error
        disk.remove(folder, Site.ROWS_OLD)
        disk.rename(new, folder, Site.ROWS_NAME)
        return cls(folder, chain, map_bytes, disk=disk)

    def _check(self, chain: str) -> int:
        """The height of the rows, if these are the rows of the chain in a format that is known."""
        found = {key: self._reader.get(key, b"", db=self._meta) for key in (CHAIN_KEY, FORMAT_KEY)}
        if found[FORMAT_KEY] != FORMAT:
            raise WrongVersion(
                f"{self._folder} was written by another version of tongbao: remove it, "
                "it is rebuilt from the log"
            )
        if found[CHAIN_KEY] != chain.encode():
            raise WrongChain(
                f"{self._folder} is of chain {found[CHAIN_KEY].decode('ascii', 'replace')}, "
                f"not {chain}: remove it, it is rebuilt from the log"
            )
        return int(self._reader.get(HEIGHT_KEY, b"", db=self._meta))

    @property
    def height(self) -> int:
        """The height of the rows, -1 when there is none."""
        return self._height

    def get(self, key: bytes) -> bytes | None:
        """The value under a full key."""
        try:
            return self._reader.get(key, db=self._rows)
        except lmdb.Error as error:
            raise _damaged(self._folder, error) from error

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Pairs from `start` on and before `stop`, ascending."""
        reader = self._reader
        try:
            with reader.cursor(db=self._rows) as cursor:
                if not cursor.set_range(start):
                    return
                for key, value in cursor:
                    if key >= stop:
                        return
                    yield key, value
                    assert reader is self._reader, "a scan does not outlive a flush"
        except lmdb.Error as error:
            raise _damaged(self._folder, error) from error

    def status(self, transaction_id: bytes) -> Status | None:
        """Where a transaction stands."""
        try:
            found = self._reader.get(transaction_id, db=self._status)
            return None if found is None else decode_status(found)
        except (lmdb.Error, DecodeError) as error:
            raise _damaged(self._folder, error) from error

    @property
    def decided(self) -> int:
        """How many transactions have a status."""
        try:
            return int(self._reader.stat(self._status)["entries"])
        except lmdb.Error as error:
            raise _damaged(self._folder, error) from error

    def statuses(self) -> Iterator[tuple[bytes, Status]]:
        """Every transaction's id and where it stands, ascending. It does not outlive a flush."""
        reader = self._reader
        try:
            with reader.cursor(db=self._status) as cursor:
                for transaction_id, found in cursor:
                    yield transaction_id, decode_status(found)
                    assert reader is self._reader, "a scan does not outlive a flush"
        except (lmdb.Error, DecodeError) as error:
            raise _damaged(self._folder, error) from error

    def flush(self, records: list[BlockRecord], hashed_rows: int | None = None) -> None:
        """Apply blocks in one transaction: the last writer of a row wins, the height is inside.

        `hashed_rows` is how many rows are under the root of the last of them, if that is known.

        Raises DiskFull (nothing was changed, and it may be tried again) or DiskFailed.
        """
        assert records[0].height == self._height + 1
        rows: dict[bytes, bytes | None] = {}
        statuses: dict[bytes, Status] = {}
        for record in records:
            rows.update(record.rows)
            for transaction_id, status in statuses_of(record):
                statuses.setdefault(transaction_id, status)
        ordered = sorted(rows.items())
        kept = [(key, value) for key, value in ordered if value is not None]
        gone = [key for key, value in ordered if value is None]
        decided = [(key, encode(status)) for key, status in sorted(statuses.items())]
        height = records[-1].height

        def apply(txn: lmdb.Transaction) -> None:
            with txn.cursor(db=self._rows) as cursor:
                cursor.putmulti(kept)
            for key in gone:
                txn.delete(key, db=self._rows)
            with txn.cursor(db=self._status) as cursor:
                # The first status of an id stays: `overwrite` is off.
                cursor.putmulti(decided, overwrite=False)
            txn.put(HEIGHT_KEY, str(height).encode(), db=self._meta)
            if hashed_rows is None:
                txn.delete(COUNT_KEY, db=self._meta)
            else:
                txn.put(COUNT_KEY, str(hashed_rows).encode(), db=self._meta)

        self._write(apply)
        self._height = height

    def _write(self, work: Callable[[lmdb.Transaction], None]) -> None:
        """Do `work` in a write transaction; grow the map and do it again when it is full."""
        self._reader.abort()
        try:
            while True:
                try:
                    with (
                        self._disk.writing(Site.ROWS_FLUSH),
                        self._environment.begin(write=True) as txn,
                    ):
                        work(txn)
                    break
                except lmdb.MapFullError:
                    self._grow()
            self._reader = self._environment.begin()
        except lmdb.Error as error:
            failure = _unwritten(self._folder, error)
            if isinstance(failure, DiskFull):
                self._reader = self._environment.begin()
            raise failure from error

    def _grow(self) -> None:
        """Double the map. Raises DiskFull at its limit, and then nothing was changed.

        Readers that were killed may be why pages could not be used again: first it is tried without
        them. Those that live and stay are told by their process, for the file grows while they do.
        """
        if self._environment.reader_check():
            return
        self._unpin()
        size = int(self._environment.info()["map_size"])
        staying = processes_in(self._environment.readers())
        others = f"; read by process {', '.join(staying)}" if staying else ""
        if 2 * size > self.map_limit_bytes:
            self._reader = self._environment.begin()
            raise DiskFull(
                f"the map of {self._folder} has its {size} bytes and may have no more{others}: "
                "end who reads there, or remove what the chain does not need"
            )
        self._environment.set_mapsize(2 * size)
        log.info("the map of %s grows to %d bytes%s", self._folder, 2 * size, others)

    def pin(self) -> Pin:
        """The rows as of the last flush, to be copied while flushes go on. One at a time."""
        self._unpin()
        self._pin = Pin(self._environment, self._folder, self._height)
        return self._pin

    def _unpin(self) -> None:
        """Wait for a copy that is being made: its pages would move under it."""
        if self._pin is not None:
            self._pin.close()
            self._pin = None

    def close(self) -> None:
        """Close the environment."""
        self._unpin()
        self._reader.abort()
        self._environment.close()


def processes_in(readers: str) -> list[str]:
    """The ids of other processes in LMDB's own table of readers that hold a transaction."""
    lines = [line.split() for line in readers.splitlines()]
    own = str(os.getpid())
    return sorted(
        {
            line[0]
            for line in lines
            if len(line) == 3 and line[0].isdecimal() and line[0] != own and line[2] != "-"
        }
    )


def _allot_readers(folder: Path, disk: Disk) -> None:
    """Give LMDB's table of readers its place on the disk.

    LMDB maps that file as it is: where the disk is full, the first touch would end the process by
    a signal. Raises DiskFull, OSError.
    """
    with disk.writing(Site.ROWS_READERS):
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o640)
        try:
            os.posix_fallocate(descriptor, 0, LOCK_BYTES)
        except OSError as error:
            if error.errno in FULL:
                raise DiskFull(f"there is no space for {folder} ({error}): make room") from error
            raise
        finally:
            os.close(descriptor)


def check_pages(folder: Path) -> None:
    """Whether every page is what LMDB takes it for: a bad one can end the whole process.

    It reads the file without LMDB, about a microsecond a row. Raises StoreError.
    """
    try:
        problems: Iterable[str] = _problems_of(str(folder))
    except (lmdb_verify.VerifyError, OSError) as error:
        raise _damaged(folder, error) from error
    for problem in problems:
        raise _damaged(folder, problem)


def _unopened(folder: Path, error: Exception) -> StoreError:
    """Why rows can't be opened: too many read them, which is no damage, or what they are."""
    if isinstance(error, lmdb.ReadersFullError):
        return FolderInUse(
            f"as many transactions of other processes read {folder} as its table has room for "
            f"({READERS}): end some of them, then try again"
        )
    return _damaged(folder, error)


def _damaged(folder: Path, why: object) -> StoreError:
    return StoreError(
        f"{folder} is damaged ({why}): stop this process and remove that folder, "
        "it is rebuilt from the log"
    )


def _unwritten(folder: Path, error: lmdb.Error) -> DiskFull | DiskFailed:
    """What a failed write transaction means; LMDB has taken it back.

    A page that only half fits on the disk is to LMDB an "input/output error" like any other.
    """
    is_full = error.code == errno.EIO and shutil.disk_usage(folder).free < ROOM
    if is_full or error.code in FULL:
        return DiskFull(f"there is no space for the rows ({error}): make room, then try again")
    return DiskFailed(
        f"the rows can't be written ({error}): what was acknowledged is in the log. Stop this "
        "process, check the disk, start again"
    )
