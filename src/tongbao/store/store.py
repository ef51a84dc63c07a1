"""A chain's folder, open: the log that decides, and the rows that follow it."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Final, Self

import lmdb

from tongbao.store.disk import Disk, RealDisk
from tongbao.store.errors import FolderInUse, FolderMissing
from tongbao.store.headers import Headers
from tongbao.store.log import SEGMENT_BYTES, BlockLog
from tongbao.store.record import BlockRecord, HeaderLine, Status, statuses_of
from tongbao.store.state import MAP_BYTES, State

log = logging.getLogger("tongbao.store")

BLOCKS_BEHIND: Final = 10
ROWS_BEHIND: Final = 50_000
SECONDS_BEHIND: Final = 0.1
REPLAYED_AT_ONCE: Final = 50


class Store:
    """The committed blocks and rows of one chain, in one folder, for one process."""

    def __init__(
        self,
        folder: Path,
        chain: str,
        *,
        disk: Disk | None = None,
        clock: Callable[[], float] = monotonic,
        segment_bytes: int = SEGMENT_BYTES,
        map_bytes: int = MAP_BYTES,
    ) -> None:
        """Lock the folder, recover the log, bring the rows up to it. Raises StoreError."""
        self._folder = folder
        self._chain = chain
        self._clock = clock
        self._map_bytes = map_bytes
        self._behind: list[BlockRecord] = []
        self._behind_status: dict[bytes, Status] = {}
        self._behind_rows = 0
        self._behind_since = 0.0
        self._closed = False
        self._lock = _lock(folder)
        try:
            self._recover(disk or RealDisk(), segment_bytes)
        except BaseException:
            os.close(self._lock)
            raise

    @classmethod
    def open(cls, folder: Path, *, chain: str) -> Store:
        """Open the folder of a chain."""
        return cls(folder, chain)

    def _recover(self, disk: Disk, segment_bytes: int) -> None:
        """Decide what is durable, and make everything else follow."""
        self._state = self._open_state()
        self._headers = Headers(disk, self._folder / "headers")
        known = max(self._state.height + 1, len(self._headers.lines))
        try:
            self._log = BlockLog(
                disk,
                self._folder / "log",
                self._chain,
                known_blocks=known,
                segment_bytes=segment_bytes,
            )
            self._last = self._log.read(self._log.height) if self._log.height >= 0 else None
            self._headers.complete(list(self._log.records(len(self._headers.lines))))
            self._replay()
        except BaseException:
            self._state.close()
            raise

    def _open_state(self) -> State:
        """The rows; an environment that LMDB can't read is put aside and rebuilt."""
        place = self._folder / "state"
        try:
            return State(place, self._chain, self._map_bytes)
        except (lmdb.Error, UnicodeDecodeError, ValueError) as error:
            log.warning("state/ can't be read (%s): it is rebuilt from the log", error)
            shutil.rmtree(place)
            return State(place, self._chain, self._map_bytes)

    def _replay(self) -> None:
        """Apply the blocks that the rows lack."""
        batch: list[BlockRecord] = []
        for record in self._log.records(self._state.height + 1):
            batch.append(record)
            if len(batch) == REPLAYED_AT_ONCE:
                self._state.flush(batch)
                batch = []
        if batch:
            self._state.flush(batch)

    def rebuild(self) -> None:
        """Throw the rows away and make them anew out of the log."""
        assert not self._behind
        self._state.close()
        shutil.rmtree(self._folder / "state")
        self._state = State(self._folder / "state", self._chain, self._map_bytes)
        self._replay()

    @property
    def last(self) -> BlockRecord | None:
        """The last block, None before genesis."""
        return self._last

    @property
    def height(self) -> int:
        """The height of the last block, -1 before genesis."""
        return self._log.height

    def append(self, record: BlockRecord) -> None:
        """Keep the next block; once this returns, it is durable. Raises DiskFull, DiskFailed."""
        self._log.append(record)
        try:
            self._headers.add(record)
        except OSError as error:
            # The block is durable, which is what counts; the copy is repaired at the next start.
            log.warning("the copy of the headers can't be written: %s", error)
            self._headers.close()
            self._headers = _NoHeaders(self._headers.lines)
        if not self._behind:
            self._behind_since = self._clock()
        self._last = record
        self._behind.append(record)
        self._behind_rows += len(record.rows)
        for transaction_id, status in statuses_of(record):
            self._behind_status.setdefault(transaction_id, status)

    def maintain(self, idle: bool) -> int | None:
        """Bring the rows up to the log when idle, or when they are too far behind it."""
        if not self._behind:
            return None
        due = (
            idle
            or len(self._behind) >= BLOCKS_BEHIND
            or self._behind_rows >= ROWS_BEHIND
            or self._clock() - self._behind_since >= SECONDS_BEHIND
        )
        if not due:
            return None
        self._state.flush(self._behind)
        self._behind.clear()
        self._behind_status.clear()
        self._behind_rows = 0
        return self.height

    def get(self, key: bytes) -> bytes | None:
        """The value under a full key, as of the last flush."""
        return self._state.get(key)

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Pairs from `start` on and before `stop`, ascending, as of the last flush."""
        return self._state.scan(start, stop)

    def status(self, transaction_id: bytes) -> Status | None:
        """Where a transaction stands, in the newest block too."""
        return self._state.status(transaction_id) or self._behind_status.get(transaction_id)

    def block(self, height: int) -> BlockRecord:
        """The record of a block. Raises LookupError."""
        last = self._last
        return last if last is not None and last.height == height else self._log.read(height)

    def headers(self, first: int, last: int) -> list[HeaderLine]:
        """The signed headers of the heights `first` to `last`."""
        return self._headers.lines[first : last + 1]

    def close(self) -> None:
        """Flush, and give the folder free. May be called again."""
        if self._closed:
            return
        self._closed = True
        try:
            self.maintain(idle=True)
        finally:
            self._log.close()
            self._headers.close()
            self._state.close()
            os.close(self._lock)

    def __enter__(self) -> Self:
        """Close at the end of the `with` statement."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()


class _NoHeaders(Headers):
    """The headers in memory alone, after their file could not be written."""

    def __init__(self, lines: list[HeaderLine]) -> None:
        self.lines = lines
        self._file = None

    def add(self, record: BlockRecord) -> None:
        self.lines.append(HeaderLine(record.height, record.time, record.header))


def _lock(folder: Path) -> int:
    """An exclusive lock on the folder, kept until its descriptor is closed."""
    if not folder.is_dir():
        raise FolderMissing(f"there is no folder {folder}: begin a chain with `tongbao init`")
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        owner = os.read(descriptor, 32).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise FolderInUse(
            f"{folder} is in use by process {owner or 'unknown'}: stop that one first, "
            "or ask it instead"
        ) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    return descriptor
