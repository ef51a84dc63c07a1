"""The thread that feeds an index from a chain's blocks, from wherever it is to the chain's head."""

from __future__ import annotations

import logging
import sqlite3
import threading
from bisect import bisect_left
from collections.abc import Callable
from typing import Final, Protocol

from tongbao.index.database import FAILURES, IndexAhead
from tongbao.index.history import Index
from tongbao.index.pace import Pace
from tongbao.index.writer import Writer
from tongbao.store.record import BlockRecord, HeaderLine

log = logging.getLogger("tongbao.index")

BATCH_BLOCKS: Final = 64
BATCH_BYTES: Final = 4_194_304
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0
LOOK_S: Final = 2.0
"""How often a shared database without a new block is looked at: whether it is still ours to feed.
"""
REASONS: Final = 8
"""Different reasons for not writing that are logged until it is written again, at most."""
DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class Blocks(Protocol):
    """Where blocks come from; the bodies of those below `first_block` were pruned."""

    @property
    def first_block(self) -> int:
        """The first block whose body is there, or will be."""

    def headers(self, first: int, last: int) -> list[HeaderLine]:
        """The signed headers of these heights, of pruned blocks too, as far as there are any."""

    def block(self, height: int) -> BlockRecord:
        """The record of a durable block. Raises LookupError for one that is not there."""


class Feeder:
    """Feeds an index whenever it is woken; a failed write is tried again, ever more rarely."""

    def __init__(
        self,
        index: Index,
        blocks: Blocks,
        fed: Callable[[int], object] = lambda height: None,
        *,
        elsewhere: bool = False,
    ) -> None:
        """`fed` is called with the index's height after each batch, in the feeder's thread.

        With `elsewhere`, large batches are added by another process.
        """
        self.index = index
        self.height = _height_of(index)
        self._blocks = blocks
        self._fed = fed
        self._writer = Writer(index.path if elsewhere else None, index.chain)
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._is_useless = False
        self._newest = self.height
        self._pace = Pace(self.height)
        self._thread = threading.Thread(target=self._run, name="tongbao-index", daemon=True)

    def start(self) -> None:
        """Begin to feed, with what is there already."""
        self._wake.set()
        self._thread.start()

    def wake(self, height: int) -> None:
        """There is a new block. Quick, and for any thread."""
        self._newest = max(self._newest, height)
        self._wake.set()

    def tell(self, error: Exception) -> None:
        """A reader has met an error: damage is mended before the next block is fed."""
        if _is_damage(error):
            self._is_useless = True
            self._wake.set()

    def stop(self) -> None:
        """End after the batch that is under way. May be called again."""
        self._stopping.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            self._feed()
        finally:
            self._writer.close()

    def _feed(self) -> None:
        pause = FIRST_PAUSE_S
        agreed = False
        told: list[str] = []
        while not self._stopping.is_set():
            if not self._wake.wait(LOOK_S if self.index.is_shared else None):
                agreed = False
            self._wake.clear()
            try:
                self._come_up(agreed)
                agreed = True
                if pause != FIRST_PAUSE_S:
                    log.warning("index: written again, up to block %d", self.height)
                pause = FIRST_PAUSE_S
                told.clear()
            except FAILURES as error:
                agreed = False  # a database that comes back may have been changed by others
                level = _level_of(str(error), told)
                log.log(level, "index: not written (%s); tried again until it is", error)
                self.tell(error)
                self._stopping.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE_S)
                self._wake.set()

    def feed(self) -> None:
        """Feed to the end in this thread, instead of `start`. Raises `FAILURES`."""
        try:
            self._come_up(agreed=False)
        finally:
            self._writer.close()

    def _come_up(self, agreed: bool) -> None:
        """From wherever the index is to the last block. Raises `FAILURES`."""
        if self._is_useless:
            if self.index.is_shared:
                self._agrees()  # or else it is not ours to make anew
            self._begin_anew("damaged")
        elif not agreed and not self._agrees():
            self._begin_anew("of another history")
        self._skip_pruned()
        self._catch_up()

    def _agrees(self) -> bool:
        """Whether the chain has the last block that the index knows, and not another one."""
        self.index.prepare()
        self.height = self.index.height
        if self.height < 0:
            return True
        found = self._blocks.headers(self.height, self.height)
        if not found and self.index.is_shared:
            self._stay_behind()
        return bool(found) and self.index.follows(found[0])

    def _stay_behind(self) -> None:
        """Leave a shared index to whoever fed it further than this chain is. Raises IndexAhead.

        Whether it is of this history can be told only once the chain has its last block.
        """
        first, height = self._blocks.first_block, self.height
        if height < first:
            return  # the chain is past it, and its header was pruned
        self.index.withdraw()
        missing = bisect_left(
            range(first, height), True, key=lambda at: not self._blocks.headers(at, at)
        )
        raise IndexAhead(
            f"the index in this database knows block {height}, this node is at "
            f"{first + missing - 1}: another node has fed it, or this chain was restored to an "
            "earlier block; it is compared once this node has that block, or name another database"
        )

    def _skip_pruned(self) -> None:
        """Begin with the first body that is there, where the next one that it lacks is not.

        Raises `FAILURES`.
        """
        first = self._blocks.first_block
        if self.height + 1 >= first:
            return
        if self.height >= 0:
            self._begin_anew(f"it ends with block {self.height}, and bodies begin with {first}")
        log.warning("index: begun with block %d: the bodies before it were pruned", first)
        self.index.begin_after(self._blocks.headers(first - 1, first - 1)[0])
        self.height = first - 1
        self._fed(self.height)

    def _begin_anew(self, why: str) -> None:
        """Trying again mends none of this. Raises `FAILURES`."""
        log.warning("index: %s; it is set aside and made anew", why)
        self._writer.close()
        self.index.begin_anew()
        self.height = -1
        self._is_useless = False

    def _catch_up(self) -> None:
        self._pace.begin(self.height)
        while not self._stopping.is_set():
            batch = self._batch(self.height + 1)
            if not batch:
                return
            if not self._writer.add(batch):
                self.index.add(batch)
            self.height = batch[-1].height
            self._pace.tell(self.height, self._newest)
            self._fed(self.height)

    def _batch(self, first: int) -> list[BlockRecord]:
        """The next blocks, as far as there are any and they are not too many."""
        found: list[BlockRecord] = []
        size = 0
        while len(found) < BATCH_BLOCKS and size < BATCH_BYTES:
            try:
                record = self._blocks.block(first + len(found))
            except LookupError:
                break
            found.append(record)
            size += sum(map(len, record.transactions)) + sum(map(len, record.receipts))
        return found


def _level_of(reason: str, told: list[str]) -> int:
    """Told once: whoever looks for a reason finds one line, not one for each attempt."""
    if reason in told or len(told) == REASONS:
        return logging.DEBUG
    told.append(reason)
    return logging.ERROR if len(told) == 1 else logging.WARNING


def _is_damage(error: Exception) -> bool:
    return getattr(error, "sqlite_errorcode", None) in DAMAGED


def _height_of(index: Index) -> int:
    """The height of an index, -1 while its database can't be reached."""
    try:
        return index.height
    except FAILURES:
        return -1
