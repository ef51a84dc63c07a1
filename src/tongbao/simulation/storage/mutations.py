"""Defects on purpose: each breaks one rule of the store, and the campaign must notice.

A harness that can't fail proves nothing. Each function of `MUTATIONS` puts broken code in the
place of one production function, and the test of this folder counts the seeds until it is caught.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from tongbao.store import log, recovery
from tongbao.store.disk import AppendFile
from tongbao.store.log import BlockLog
from tongbao.store.record import BlockRecord
from tongbao.store.sites import Site
from tongbao.store.store import Store


class Swap:
    """An attribute of a module or class, and what stands in its place meanwhile."""

    def __init__(self, owner: Any, name: str, broken: Callable[..., Any]) -> None:
        """Nothing is changed yet."""
        self.owner, self.name, self.broken = owner, name, broken


def without_sync() -> list[Swap]:
    """No fdatasync of a block's record."""
    real = BlockLog._sync

    def sync(self: BlockLog, file: AppendFile, site: Site) -> None:
        if site is not Site.FRAME_SYNC:
            real(self, file, site)

    return [Swap(BlockLog, "_sync", sync)]


def answer_before_log() -> list[Swap]:
    """A block is acknowledged when it is known, and written with the one after it."""
    real = Store.append
    waiting: dict[int, BlockRecord] = {}

    def append(self: Store, record: BlockRecord) -> None:
        before = waiting.pop(id(self), None)
        if before is not None:
            self._log.append(before)
            self._log.sync()
        real_log, self._log = self._log, _Nowhere()  # type: ignore[assignment]
        try:
            real(self, record)
        finally:
            self._log = real_log
        waiting[id(self)] = record

    return [Swap(Store, "append", append)]


class _Nowhere:
    """A log that takes everything and keeps nothing."""

    def append(self, record: BlockRecord) -> None:
        """Take a record."""

    def sync(self) -> None:
        """Say that it is durable."""


def cut_corruption() -> list[Swap]:
    """What is bad is taken for a torn tail wherever it is, and cut off with all after it."""
    return [*rows_ahead(), Swap(recovery, "later_synced", lambda salt, data, start: 0)]


def without_names() -> list[Swap]:
    """The name of a new segment is not made durable."""
    return [Swap(BlockLog, "_sync_folders", lambda self: None)]


def without_writing_again() -> list[Swap]:
    """What a failed sync may have lost is synced again, which writes nothing."""
    return [Swap(BlockLog, "_write_again", lambda self, found, known_blocks: None)]


def sync_again() -> list[Swap]:
    """A sync that fails is tried again."""
    real = BlockLog._sync

    def sync(self: BlockLog, file: AppendFile, site: Site) -> None:
        try:
            file.sync(site)
        except OSError:
            real(self, file, site)

    return [Swap(BlockLog, "_sync", sync)]


def rows_ahead() -> list[Swap]:
    """Rows whose height is not compared with the log's."""
    real = recovery.scan

    def scan(disk: Any, folder: Any, chain: str, known: int, *base: Any) -> recovery.Found:
        return real(disk, folder, chain, 0, *base)

    return [Swap(log, "scan", scan)]


def drop_wanted() -> list[Swap]:
    """Bodies are given up that were to be kept."""
    real = BlockLog.drop

    def drop(self: BlockLog, keep_from: int) -> None:
        real(self, self.height + 1)

    return [Swap(BlockLog, "drop", drop)]


MUTATIONS: Final[dict[str, Callable[[], list[Swap]]]] = {
    "without-sync": without_sync,
    "answer-before-log": answer_before_log,
    "cut-corruption": cut_corruption,
    "without-names": without_names,
    "without-writing-again": without_writing_again,
    "sync-again": sync_again,
    "rows-ahead": rows_ahead,
    "drop-wanted": drop_wanted,
}


@contextmanager
def broken(name: str) -> Iterator[None]:
    """Production code with one defect, until the `with` statement ends; none for no name."""
    swaps = MUTATIONS[name]() if name else []
    kept = [(swap, getattr(swap.owner, swap.name)) for swap in swaps]
    try:
        for swap in swaps:
            setattr(swap.owner, swap.name, swap.broken)
        yield
    finally:
        for swap, real in kept:
            setattr(swap.owner, swap.name, real)
