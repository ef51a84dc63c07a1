"""A disk that kills its own process, with signal 9, at the n-th passage of a place."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import lmdb

from tongbao.index.history import Index
from tongbao.simulation.crash.points import Death, Moment
from tongbao.store.disk import AppendFile, RealAppendFile, RealDisk
from tongbao.store.record import BlockRecord
from tongbao.store.state import State
from tongbao.store.store import Store

LOG_ENDING: Final = ".log"
HEADERS: Final = "headers"


class Fate:
    """Counts passages, and ends the process where that is planned."""

    def __init__(self, death: Death | None) -> None:
        """Without a death the process lives on."""
        self._death = death
        self._passages: Counter[str] = Counter()

    def meet(self, site: str, moment: Moment) -> None:
        """Die if this is the place and the moment."""
        if moment is Moment.BEFORE:
            self._passages[site] += 1
        if self.is_at(site, moment):
            os.kill(os.getpid(), signal.SIGKILL)
            signal.pause()

    def is_at(self, site: str, moment: Moment) -> bool:
        """Whether this passage of a site is the planned one."""
        death = self._death
        return (
            death is not None
            and (death.site, death.moment) == (site, moment)
            and self._passages[site] == death.passage
        )

    @contextmanager
    def around(self, site: str) -> Iterator[None]:
        """Before and after a step."""
        self.meet(site, Moment.BEFORE)
        yield
        self.meet(site, Moment.AFTER)


class DyingFile(RealAppendFile):
    """A file of the log or of the headers. Only the node's engine writes to it."""

    def __init__(self, path: Path, fate: Fate) -> None:
        """Open it as a real one."""
        self._is_log = path.suffix == LOG_ENDING
        self._is_new = not path.exists() or path.stat().st_size == 0
        self._fate = fate
        super().__init__(path)

    def write(self, data: bytes) -> None:
        """Write all of it, or half."""
        if self._is_log:
            site = "segment head" if self._is_new else "log frame"
        else:
            site = "headers anew" if self._is_new else "header line"
        self._is_new = False
        fate = self._fate
        fate.meet(site, Moment.BEFORE)
        if fate.is_at(site, Moment.WITHIN):
            super().write(data[: len(data) // 2])
            fate.meet(site, Moment.WITHIN)
        super().write(data)
        fate.meet(site, Moment.AFTER)

    def sync(self) -> None:
        """Sync."""
        with self._fate.around("log sync"):
            super().sync()

    def truncate(self, size: int) -> None:
        """Cut."""
        with self._fate.around("log cut" if self._is_log else "headers cut"):
            super().truncate(size)


class DyingDisk(RealDisk):
    """The real disk, beneath a fate."""

    def __init__(self, fate: Fate) -> None:
        """Meet this fate."""
        self._fate = fate

    def append_to(self, path: Path) -> AppendFile:
        """Open a file."""
        return DyingFile(path, self._fate)

    def remove(self, path: Path) -> None:
        """Remove a file."""
        with self._fate.around("log remove"):
            super().remove(path)

    def sync_folder(self, folder: Path) -> None:
        """Sync a folder."""
        with self._fate.around("segment names"):
            super().sync_folder(folder)


Work = Callable[[lmdb.Transaction], None]


class DyingState(State):
    """Rows whose flushes meet a fate, which is the class's: a process has one."""

    fate: Fate

    @classmethod
    def create(cls, folder: Path, chain: str, map_bytes: int = 1 << 30) -> State:
        """Make rows anew."""
        with cls.fate.around("rows anew"):
            return super().create(folder, chain, map_bytes)

    def _write(self, work: Work) -> None:
        def within(txn: lmdb.Transaction) -> None:
            work(txn)
            self.fate.meet("rows flush", Moment.WITHIN)

        with self.fate.around("rows flush"):
            super()._write(within)


class DyingStore(Store):
    """A store whose rows meet their fate."""

    rows_kind = DyingState


class DyingIndex(Index):
    """An index whose batches meet a fate, which is the class's."""

    fate: Fate

    def add(self, records: Sequence[BlockRecord]) -> None:
        """Add blocks."""
        with self.fate.around("index batch"):
            super().add(records)

    def _write(self, chunks: Any, postings: Any, last: BlockRecord) -> None:
        self.fate.meet("index batch", Moment.WITHIN)
        super()._write(chunks, postings, last)
