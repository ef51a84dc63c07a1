"""A chain's folder, open: the log that decides, and the rows that follow it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

from tongbao.kernel.trie import Trie
from tongbao.store.base import base_heights, base_name, find_base
from tongbao.store.behind import ROWS_BEHIND, Behind
from tongbao.store.closable import Closable
from tongbao.store.disk import Disk, RealDisk
from tongbao.store.errors import DiskFull, FolderInUse, StoreError
from tongbao.store.headers import Headers
from tongbao.store.loader import LARGE_BYTES, follow, load, size_of
from tongbao.store.lock import lock_folder
from tongbao.store.log import FULL, SEGMENT_BYTES, BlockLog
from tongbao.store.pinned import Pin
from tongbao.store.record import (
    BlockRecord,
    HeaderLine,
    Status,
    check_record,
    line_of,
)
from tongbao.store.recovery import NO_BASE
from tongbao.store.room import give_back, has_room
from tongbao.store.sites import Site
from tongbao.store.state import MAP_BYTES, State

log = logging.getLogger("tongbao.store")


class Store(Closable):
    """The committed blocks and rows of one chain, in one folder, for one process.

    One thread at a time may use it.
    """

    def __init__(
        self,
        folder: Path,
        chain: str,
        disk: Disk | None = None,
        *,
        clock: Callable[[], float] = monotonic,
        segment_bytes: int = SEGMENT_BYTES,
        map_bytes: int = MAP_BYTES,
        tables: Sequence[bytes] = (),
        large_bytes: int = LARGE_BYTES,
        origin: str = "",
    ) -> None:
        """Lock the folder, recover the log, bring the rows up to it. Raises StoreError.

        `clock` gives seconds that never run backwards. With `tables`, the prefixes of hashed rows,
        a large state is read on all cores, and `take_trie` has what came of it. `origin` is the
        chain from whose rows this one began, if it did not begin with genesis.
        """
        self._folder = folder
        self._chain = chain
        self._origin = origin
        self._map_bytes, self._segment_bytes = map_bytes, segment_bytes
        self._disk = disk or RealDisk()
        self._tables = frozenset(tables)
        self._large_bytes = large_bytes
        self._trie: Trie | None = None
        self._behind = Behind(clock)
        self._lack: DiskFull | None = None
        with ExitStack() as resources:
            try:
                resources.callback(os.close, lock_folder(folder))
                self._files = resources.enter_context(ExitStack())
                self._recover(segment_bytes, self._files)
            except OSError as error:
                kind = DiskFull if error.errno in FULL else StoreError
                raise kind(
                    f"{folder} can't be opened ({error}): check permissions, space and the disk"
                ) from error
            self._resources = resources.pop_all()
        self._closed = False

    @classmethod
    def open(
        cls,
        folder: Path,
        chain: str,
        disk: Disk | None = None,
        *,
        clock: Callable[[], float] = monotonic,
        segment_bytes: int = SEGMENT_BYTES,
        map_bytes: int = MAP_BYTES,
        tables: Sequence[bytes] = (),
        large_bytes: int = LARGE_BYTES,
        origin: str = "",
    ) -> Store:
        """Open the folder of a chain. Raises StoreError."""
        return cls(
            folder,
            chain,
            disk,
            clock=clock,
            segment_bytes=segment_bytes,
            map_bytes=map_bytes,
            tables=tables,
            large_bytes=large_bytes,
            origin=origin,
        )

    # Opening

    def _recover(self, segment_bytes: int, resources: ExitStack) -> None:
        """Decide what is durable, and make everything else follow.

        Until the log has been judged, nothing is changed.
        """
        self._base = find_base(self._folder, self._chain, self._origin)
        state = self._state_there()
        rows_known = 0
        if isinstance(state, State):
            self._state = state
            resources.callback(self._close_state)
            rows_known = state.height + 1
        self._headers = Headers(self._disk, self._folder / "headers", self._chain, self.begins)
        self._log = BlockLog(
            self._disk,
            self._folder / "log",
            self._chain,
            known_blocks=max(rows_known, self._headers.stop),
            segment_bytes=segment_bytes,
            base=self.base,
            wanted_from=None if self._base is None else self._base.keep_from,
        )
        resources.callback(self._log.close)
        if not isinstance(state, State):
            self._make_state(state)
            resources.callback(self._close_state)
        elif state.height + 1 < self._log.first:
            if state.height >= 0:
                log.warning("%s/state has rows of before the log's begin: made anew", self._folder)
            self._renew_state()
        self._newest: BlockRecord | None = None
        self._last = self._last_line()
        resources.callback(self._headers.close)
        self._headers.complete(self._log, self._base)
        give_back(self._disk, self._folder)
        self._replay()
        self._prune()

    def _last_line(self) -> HeaderLine | None:
        """The header of the last block, which may be that of the base."""
        if self._log.height >= self._log.first:
            self._newest = self._log.read(self._log.height)
            return line_of(self._newest)
        return None if self._base is None else self._base.lines(self.base, self.base)[0]

    def _prune(self) -> None:
        """Remove what the base has replaced: earlier bases, and files of the log. Durable each."""
        if self._base is None:
            return
        for height in base_heights(self._folder)[:-1]:
            self._disk.remove(self._folder / base_name(height), Site.BASE_OLD)
        self._log.drop(self._base.drop_below)
        if self.height < self._log.first:
            self._newest = None

    def _state_there(self) -> State | StoreError | None:
        """The rows as they are, what is wrong with them, or None where there are none."""
        folder = self._folder / "state"
        if not folder.exists():
            return None
        try:
            self._load(folder)
            is_checked = self._trie is not None
            return State(
                folder, self._chain, self._map_bytes, disk=self._disk, is_checked=is_checked
            )
        except (DiskFull, FolderInUse):
            raise
        except StoreError as error:
            self._trie = None
            return error

    def _load(self, folder: Path) -> None:
        """Have a large state read, and checked, by other processes."""
        if self._tables and size_of(folder) >= self._large_bytes:
            self._trie = Trie.of_parts(load(folder, sorted(self._tables)))

    def take_trie(self) -> Trie | None:
        """The trie of the rows, once; None where the rows are few and quickly read."""
        trie, self._trie = self._trie, None
        return trie

    def _make_state(self, wrong: StoreError | None) -> None:
        """Begin rows anew, for `_replay` to fill. Raises `wrong` when no log can do that."""
        if wrong is not None:
            if self._log.height < 0:
                raise wrong
            log.warning("%s. It is rebuilt now", wrong)
        self._state = State.create(
            self._folder / "state",
            self._chain,
            self._map_bytes,
            disk=self._disk,
            base=self._base,
        )

    def _replay(self) -> None:
        """Apply the blocks that the rows lack."""
        batch: list[BlockRecord] = []
        rows = 0
        for record in self._log.records(self._state.height + 1):
            batch.append(record)
            rows += len(record.rows)
            if rows >= ROWS_BEHIND or record.height == self._log.height:
                self._state.flush(batch)
                if self._trie is not None:
                    follow(self._trie, batch, self._tables)
                batch, rows = [], 0

    def _close_state(self) -> None:
        """Close the rows that there are by then."""
        self._state.close()

    def rebuild(self) -> None:
        """Throw the rows away and make them anew out of the base and the log."""
        assert not self._behind.records
        self._renew_state()
        self._replay()
        self._load(self._folder / "state")

    def _renew_state(self) -> None:
        """Throw the rows away, down to those of the base."""
        self._trie = None
        self._state.close()
        self._make_state(None)

    # Blocks

    @property
    def last(self) -> HeaderLine | None:
        """The header of the last block, None before genesis."""
        return self._last

    @property
    def base(self) -> int:
        """The block from whose rows everything goes on, -1 where that is genesis."""
        return NO_BASE if self._base is None else self._base.height

    def base_rows(self) -> Iterator[tuple[bytes, bytes]]:
        """Every row of the base; none where there is no base. Raises BadSnapshot."""
        return iter(()) if self._base is None else self._base.rows()

    @property
    def begins(self) -> int:
        """The first block whose header is here; outcomes are of later blocks, unless it is 0.

        It is 0 unless this node joined its network by state sync.
        """
        return 0 if self._base is None else self._base.begins

    @property
    def first(self) -> int:
        """The height of the first block whose body is there, or will be."""
        return self._log.first

    @property
    def height(self) -> int:
        """The height of the last block, -1 before genesis."""
        return -1 if self._last is None else self._last.height

    def append(self, record: BlockRecord) -> None:
        """Keep the next block; once this returns, it is durable. Raises DiskFull, DiskFailed.

        None is kept while there is no space for the rows of those before it: what waits for them
        waits in memory.
        """
        if self._lack is not None:
            raise DiskFull(str(self._lack))
        check_record(record)
        self._log.append(record)
        self._log.sync()
        self._headers.add(record)
        self._last, self._newest = line_of(record), record
        self._behind.add(record)

    def block(self, height: int) -> BlockRecord:
        """The record of a block.

        Raises LookupError, Pruned, and DamagedLog when it was changed since.
        """
        newest = self._behind.records or ([] if self._newest is None else [self._newest])
        if newest and newest[0].height <= height <= self.height:
            return newest[height - newest[0].height]
        return self._log.read(height)

    def headers(self, first: int, last: int) -> list[HeaderLine]:
        """The signed headers of the heights `first` to `last`, as far as they are here."""
        first = max(first, self.begins)
        lines = self._headers.read(first, last)
        following = first + len(lines)
        if self._base is not None and following < self.first:
            lines += self._base.lines(following, min(last, self.first - 1))
            following = first + len(lines)
        for height in range(following, min(last, self.height) + 1):
            lines.append(line_of(self.block(height)))
        return lines

    # Rows

    def maintain(self, idle: bool, hashed_rows: int | None = None) -> int | None:
        """Bring the rows up to the log when idle, or when they are too far behind it.

        `hashed_rows` is how many rows are under the root of the last block, for who reads beside.

        The height that they now have, or None when nothing was done: also on a full disk, for the
        log has what they lack. Raises DiskFailed.
        """
        if not self._behind.records or not (idle or self._behind.is_long):
            return None
        try:
            self._state.flush(self._behind.records, hashed_rows)
        except DiskFull as error:
            if self._lack is None:
                log.warning("%s; the rows stay behind the log until then", error)
            self._lack = error
            return None
        self._lack = None
        self._behind.clear()
        return self.height

    @property
    def lack(self) -> DiskFull | None:
        """Why the rows stay behind the log for want of space; None while they don't."""
        return self._lack

    def has_room(self) -> bool:
        """Whether blocks and their rows can be kept: some space was written to and given back.

        The copy of the headers, which a full disk had ended, goes on then. Raises StoreError.
        """
        try:
            found = self._lack is None and has_room(self._disk, self._folder)
        except OSError as error:
            raise StoreError(f"{self._folder} can't be written to ({error})") from error
        if found:
            self._headers.resume(self._log, self._base)
        return found

    def get(self, key: bytes) -> bytes | None:
        """The value under a full key, as of the last flush."""
        return self._state.get(key)

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Pairs from `start` on and before `stop`, ascending, as of the last flush."""
        return self._state.scan(start, stop)

    def status(self, transaction_id: bytes) -> Status | None:
        """Where a transaction stands, in the newest block too."""
        return self._state.status(transaction_id) or self._behind.status(transaction_id)

    # Another beginning, and the end

    def pin(self) -> Pin:
        """The rows of this moment, for a copy beside the writer. They are those of the last block,
        if `maintain` has just brought them up to it.
        """
        return self._state.pin()

    def reopen(self, change: Callable[[], None]) -> None:
        """Let a folder be changed while no file of it is open, and open it again.

        It has no block but what genesis or its base makes again. The lock is kept. What raises
        leaves a store that can only be closed. Raises StoreError.
        """
        assert self.height in (self.base, 0), "the chain has begun"
        self._behind.clear()
        with self._resources.pop_all() as resources:
            self._files.close()
            change()
            self._files = resources.enter_context(ExitStack())
            self._trie, self._lack = None, None
            self._recover(self._segment_bytes, self._files)
            self._resources = resources.pop_all()

    def close(self) -> None:
        """Flush, and give the folder free. May be called again.

        After a failed write nothing is flushed: the next start finds out what is on the disk.
        """
        if self._closed:
            return
        self._closed = True
        with self._resources:
            if not self._log.failed:
                self.maintain(idle=True)
