"""A disk that kills its own process, with signal 9, at the n-th passage of a site."""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Final

from tongbao.index.history import Index
from tongbao.simulation.crash.points import INDEX_BATCH, Death, Moment, Trouble
from tongbao.store.disk import AppendFile, RealAppendFile, RealDisk
from tongbao.store.record import BlockRecord
from tongbao.store.sites import Site

SOON_S: Final = 0.003
"""Within how long a process dies that dies in the middle of a library's work."""
FULL_AT: Final = {Trouble.FULL_AT_BLOCK: Site.FRAME, Trouble.FULL_AT_SEGMENT: Site.SEGMENT_HEAD}


class Fate:
    """Counts passages, and ends the process where that is planned."""

    def __init__(self, death: Death | None, trouble: Trouble = Trouble.NONE) -> None:
        """Without a death the process lives on. A disk that is to be full is so once."""
        self._death = death
        self._full_at = FULL_AT.get(trouble)
        self._passages: Counter[str] = Counter()

    def die(self) -> None:
        """End this process, now."""
        os.kill(os.getpid(), signal.SIGKILL)
        signal.pause()

    def meet(self, place: str, moment: Moment) -> None:
        """Die if this is the place and the moment."""
        if moment is Moment.BEFORE:
            self._passages[place] += 1
        if self.is_at(place, moment):
            self.die()

    def is_at(self, place: str, moment: Moment) -> bool:
        """Whether this passage of a place is the planned one."""
        death = self._death
        return (
            death is not None
            and (death.place, death.moment) == (place, moment)
            and self._passages[place] == death.passage
        )

    def lacks_space(self, site: Site) -> bool:
        """Whether the disk is full here: at the second write of its kind, once."""
        if site is not self._full_at or self._passages[site.name] < 2:
            return False
        self._full_at = None
        return True

    @contextmanager
    def around(self, place: str) -> Iterator[None]:
        """Before and after a change; and within it, at a moment that chance chooses."""
        self.meet(place, Moment.BEFORE)
        if self.is_at(place, Moment.WITHIN):
            threading.Timer(Random().uniform(0, SOON_S), self.die).start()
            yield
            signal.pause()
        else:
            yield
        self.meet(place, Moment.AFTER)


class DyingFile(RealAppendFile):
    """A file beneath a fate. Only the node's engine writes to it."""

    def __init__(self, path: Path, fate: Fate) -> None:
        """Open it as a real one."""
        self._fate = fate
        super().__init__(path)

    def write(self, data: bytes, site: Site, /) -> None:
        """Write all of it, or half."""
        fate = self._fate
        fate.meet(site.name, Moment.BEFORE)
        if fate.is_at(site.name, Moment.WITHIN):
            super().write(data[: len(data) // 2], site)
            fate.meet(site.name, Moment.WITHIN)
        if fate.lacks_space(site):
            super().write(data[: len(data) // 2], site)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().write(data, site)
        fate.meet(site.name, Moment.AFTER)

    def sync(self, site: Site, /) -> None:
        """Sync."""
        with self._fate.around(site.name):
            super().sync(site)

    def truncate(self, size: int, site: Site, /) -> None:
        """Cut."""
        with self._fate.around(site.name):
            super().truncate(size, site)


class DyingDisk(RealDisk):
    """The real disk, beneath a fate."""

    def __init__(self, fate: Fate) -> None:
        """Meet this fate."""
        self._fate = fate

    def make_folder(self, path: Path, site: Site, /) -> None:
        """Make a folder."""
        with self._fate.around(site.name):
            super().make_folder(path, site)

    def append_to(self, path: Path, site: Site, /) -> AppendFile:
        """Open a file."""
        with self._fate.around(site.name):
            return DyingFile(path, self._fate)

    def rewrite(self, path: Path, offset: int, data: bytes, site: Site, /) -> None:
        """Write bytes again."""
        with self._fate.around(site.name):
            super().rewrite(path, offset, data, site)

    def remove(self, path: Path, site: Site, /) -> None:
        """Remove a file or folder."""
        with self._fate.around(site.name):
            super().remove(path, site)

    def rename(self, old: Path, new: Path, site: Site, /) -> None:
        """Give another name."""
        with self._fate.around(site.name):
            super().rename(old, new, site)

    def sync_folder(self, folder: Path, site: Site, /) -> None:
        """Sync a folder."""
        with self._fate.around(site.name):
            super().sync_folder(folder, site)

    @contextmanager
    def writing(self, site: Site, /) -> Iterator[None]:
        """Around what LMDB writes."""
        with self._fate.around(site.name):
            yield


class DyingIndex(Index):
    """An index whose batches meet a fate, which is the class's: a process has one."""

    fate: Fate

    def add(self, records: Sequence[BlockRecord]) -> None:
        """Add blocks."""
        with self.fate.around(INDEX_BATCH):
            super().add(records)
