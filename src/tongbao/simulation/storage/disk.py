"""A disk in memory that loses what was not synced, fails, fills up, and dies where it is told to.

A file has the bytes that programs see and those that are surely on the disk. A failed sync leaves
bytes that are seen and will never be written by a later sync, as Linux does: only writing them
again helps. What belongs to LMDB is real and lies in a folder of the real file system.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from tongbao.simulation.storage.faults import Failure, Fate, Moment
from tongbao.store.disk import SALT_BYTES, AppendFile
from tongbao.store.sites import Site

SECTOR: Final = 64
"""Bytes that reach the disk together. Smaller than real ones, so that few bytes have many."""

ERRORS: Final = {Failure.FULL: errno.ENOSPC, Failure.BROKEN: errno.EIO}
ROWS: Final = ("state", "state.new")


class PowerFailed(BaseException):
    """Everything has stopped in the middle of an operation."""


class Plan(NamedTuple):
    """The one thing that goes wrong next: at the nth passage of a site, a stop or an error."""

    site: Site
    passage: int
    fault: Moment | Failure


class Content:
    """The bytes of a file: as programs see them, and as far as they are surely on the disk."""

    def __init__(self) -> None:
        """Begin empty."""
        self.seen = bytearray()
        self.durable = b""
        self.lost: list[tuple[int, int]] = []

    def writable(self) -> bytes:
        """What a sync would write: what is seen, but for what an earlier sync has lost."""
        written = bytearray(self.seen)
        for start, stop in self.lost:
            gone = min(stop, len(written)) - start
            if gone > 0:
                written[start : start + gone] = bytes(gone)
        return bytes(written)

    def sync(self) -> None:
        """Make it durable."""
        self.durable = self.writable()

    def lose(self) -> None:
        """A sync fails: what it was about stays to be seen, and no later sync writes it."""
        if len(self.seen) > len(self.durable):
            self.lost.append((len(self.durable), len(self.seen)))

    def rewritten(self, start: int, stop: int) -> None:
        """Bytes were written again: the next sync writes them."""
        self.lost = [
            part
            for first, last in self.lost
            for part in ((first, min(last, start)), (max(first, stop), last))
            if part[0] < part[1]
        ]

    @property
    def is_pending(self) -> bool:
        """Whether anything is seen that is not surely on the disk."""
        return bytes(self.seen) != self.durable


class SimulatedDisk:
    """Files and folders with unsynced bytes and names, and one plan of what goes wrong."""

    def __init__(self, random: Random) -> None:
        """Begin with nothing but a root, which every disk has."""
        self.random = random
        self.plan: Plan | None = None
        self.lead: Plan | None = None
        self.was_led = False
        self.met: Plan | None = None
        self.is_dead = False
        self.passages: Counter[Site] = Counter()
        self.folders: set[Path] = set()
        self.files: dict[Path, Content] = {}
        self.durable_names: set[Path] = set()
        self.ghosts: dict[Path, Content] = {}

    # What goes wrong

    def arm(self, plan: Plan | None, lead: Plan | None = None) -> None:
        """Let this go wrong from now on, once; and before it the failure that leads there."""
        self.plan, self.met = plan, None
        self.lead, self.was_led = lead, False
        self.passages.clear()

    def begin(self, site: Site) -> Moment | Failure | None:
        """Come to a site: what is to go wrong there, None when nothing is. May be the end."""
        if self.is_dead:
            raise PowerFailed
        self.passages[site] += 1
        lead = self.lead
        if lead is not None and lead.site is site and lead.passage <= self.passages[site]:
            self.lead, self.was_led = None, True
            return lead.fault
        plan = self.plan
        if plan is None or plan.site is not site or plan.passage != self.passages[site]:
            return None
        self.plan, self.met = None, plan
        if plan.fault is Moment.BEFORE:
            self.die()
        return plan.fault

    def end(self, fault: Moment | Failure | None) -> None:
        """Leave a site that was gone through."""
        if fault is Moment.AFTER:
            self.die()

    def die(self) -> None:
        """Stop everything here."""
        self.is_dead = True
        raise PowerFailed

    def fail(self, fault: Moment | Failure | None) -> None:
        """Raise what the operating system says, where an error is due."""
        if isinstance(fault, Failure):
            number = ERRORS[fault]
            raise OSError(number, os.strerror(number))

    def restart(self, fate: Fate) -> bool:
        """What is left when everything is back; whether there was anything for this fate."""
        self.is_dead = False
        self.arm(None)
        if fate is Fate.KEPT:
            return True
        unnamed = bool(self.ghosts or {*self.files, *self.folders} - self.durable_names)
        pending = any(content.is_pending for content in self.files.values())
        self._lose_names(fate)
        for content in self.files.values():
            left = self._left_of(content, fate)
            content.seen, content.durable, content.lost = bytearray(left), left, []
        self.durable_names = {*self.files, *self.folders}
        self.ghosts = {}
        return unnamed if fate is Fate.UNNAMED else pending

    def _lose_names(self, fate: Fate) -> None:
        is_certain = fate is Fate.UNNAMED
        for path in sorted({*self.files, *self.folders} - self.durable_names):
            if is_certain or self.random.random() < 0.5:
                self.files.pop(path, None)
                self.folders.discard(path)
        for path, content in self.ghosts.items():
            if is_certain or self.random.random() < 0.5:
                self.files.setdefault(path, content)
        # What stood in a folder whose name was lost is lost with it.
        self.files = {path: it for path, it in self.files.items() if self._has_place(path)}

    def _has_place(self, path: Path) -> bool:
        return path.parent in self.folders or path.name == "headers"

    def _left_of(self, content: Content, fate: Fate) -> bytes:
        """The bytes of a file after everything stopped."""
        coming, durable = content.writable(), content.durable
        if not coming.startswith(durable):
            return self.random.choice([coming, durable])
        pending = bytearray(coming[len(durable) :])
        return durable + self._mangled(pending, fate)

    def _mangled(self, pending: bytearray, fate: Fate) -> bytes:
        """Bytes that were not synced, as a fate leaves them."""
        random = self.random
        match fate:
            case Fate.TORN:
                del pending[random.randrange(len(pending) + 1) :]
            case Fate.REORDERED:
                for start in range(0, len(pending), SECTOR):
                    if random.random() < 0.5:
                        stop = min(start + SECTOR, len(pending))
                        pending[start:stop] = bytes(stop - start)
            case Fate.FLIPPED if pending:
                pending[random.randrange(len(pending))] ^= 1 << random.randrange(8)
            case Fate.DROPPED | Fate.UNNAMED:
                pending.clear()
        return bytes(pending)

    # What the store asks for

    def make_folder(self, path: Path, site: Site, /) -> None:
        """Make a folder; its name is durable once its parent is synced."""
        fault = self.begin(site)
        self.fail(fault)
        self.folders.add(path)
        self.end(fault)

    def names(self, folder: Path) -> list[str]:
        """The names in a folder."""
        return sorted(path.name for path in self.files if path.parent == folder)

    def read(self, path: Path) -> bytes:
        """All bytes that are seen."""
        return bytes(self.files[path].seen)

    def read_part(self, path: Path, offset: int, length: int) -> bytes:
        """Some bytes."""
        return bytes(self.files[path].seen[offset : offset + length])

    def append_to(self, path: Path, site: Site, /) -> AppendFile:
        """Open or make a file."""
        fault = self.begin(site)
        self.fail(fault)
        file = SimulatedFile(self, self.files.setdefault(path, Content()))
        self.end(fault)
        return file

    def rewrite(self, path: Path, offset: int, data: bytes, site: Site, /) -> None:
        """Write bytes again where they stand."""
        fault = self.begin(site)
        content = self.files[path]
        stop = offset + (self.random.randrange(len(data)) if fault is not None else len(data))
        content.seen[offset:stop] = data[: stop - offset]
        content.rewritten(offset, stop)
        if fault is Moment.WITHIN:
            self.die()
        self.fail(fault)
        self.end(fault)

    def remove(self, path: Path, site: Site, /) -> None:
        """Remove a file, for good only once its folder is synced; LMDB's folders at once."""
        fault = self.begin(site)
        self.fail(fault)
        if path.name in ROWS or path.name.startswith("base-"):
            shutil.rmtree(path, ignore_errors=True)
        elif (content := self.files.pop(path, None)) is not None:
            self.ghosts[path] = content
        self.end(fault)

    def rename(self, old: Path, new: Path, site: Site, /) -> None:
        """Give LMDB's folder its name."""
        fault = self.begin(site)
        old.replace(new)
        self.end(fault)

    def sync_folder(self, folder: Path, site: Site, /) -> None:
        """Make names durable, some of them where everything stops within."""
        fault = self.begin(site)
        self.fail(fault)
        inside = sorted(path for path in {*self.files, *self.folders} if path.parent == folder)
        if fault is Moment.WITHIN:
            self.durable_names |= set(inside[: self.random.randrange(len(inside) + 1)])
            self.die()
        self.durable_names |= set(inside)
        self.ghosts = {path: it for path, it in self.ghosts.items() if path.parent != folder}
        self.end(fault)

    @contextmanager
    def writing(self, site: Site, /) -> Iterator[None]:
        """Around LMDB's own writing, which is whole or not at all."""
        fault = self.begin(site)
        yield
        self.end(fault)

    def salt(self) -> bytes:
        """Bytes of the seed."""
        return self.random.randbytes(SALT_BYTES)


class SimulatedFile:
    """A file of such a disk."""

    def __init__(self, disk: SimulatedDisk, content: Content) -> None:
        """Write to a file's content."""
        self._disk = disk
        self._content = content

    def write(self, data: bytes, site: Site, /) -> None:
        """Append all of it; some of it where everything stops within, or the disk fails."""
        disk = self._disk
        fault = disk.begin(site)
        if fault is Moment.WITHIN or isinstance(fault, Failure):
            self._content.seen += data[: disk.random.randrange(len(data))]
            disk.fail(fault)
            disk.die()
        self._content.seen += data
        disk.end(fault)

    def sync(self, site: Site, /) -> None:
        """Make the content durable; a part of it where everything stops within."""
        disk = self._disk
        fault = disk.begin(site)
        if isinstance(fault, Failure):
            self._content.lose()
            disk.fail(fault)
        if fault is Moment.WITHIN:
            self._reach(disk.random)
            disk.die()
        self._content.sync()
        disk.end(fault)

    def _reach(self, random: Random) -> None:
        """Some of the unsynced bytes have come to the disk, from the first on."""
        content = self._content
        if content.seen.startswith(content.durable):
            stop = random.randrange(len(content.durable), len(content.seen) + 1)
            content.durable = bytes(content.seen[:stop])

    def truncate(self, size: int, site: Site, /) -> None:
        """Cut the content, for certain only once it is synced."""
        fault = self._disk.begin(site)
        self._disk.fail(fault)
        del self._content.seen[size:]
        self._content.lost = [one for one in self._content.lost if one[0] < size]
        self._disk.end(fault)

    def close(self) -> None:
        """Nothing."""
