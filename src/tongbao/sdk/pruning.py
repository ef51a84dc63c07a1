"""Pruning: giving up the bodies of old blocks, once their rows, headers and outcomes are safe.

A base is made of the rows that there are: a snapshot in the chain's own folder. A node may run
meanwhile. Whoever opens the chain next removes the files of the log that have no block to keep:
at once where nobody has it open, else when the node starts again.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from tongbao.kernel import Genesis
from tongbao.kernel.genesis import chain_id
from tongbao.sdk.audit import Progress, silent
from tongbao.sdk.backup_bases import check_base
from tongbao.sdk.backup_folder import held
from tongbao.sdk.backup_log import LOG, first_of, segments_in
from tongbao.sdk.bases import base_of, base_under
from tongbao.sdk.block_checks import BlockChecks
from tongbao.sdk.folder import Folder, FolderError, sync_folder, write_new
from tongbao.sdk.opening import open_producer
from tongbao.sdk.snapshots import SnapshotReport, take
from tongbao.store.base import KEEP, Keep, base_name
from tongbao.store.errors import FolderInUse

PART: Final = "base.part"
"""A base that has not its name yet; the next `prune` removes what a killed one left."""


class PruneReport(Struct, frozen=True, kw_only=True):
    """What was given up. `base` is the block of the rows that the log now goes on from.

    Bodies are there from block `first` on, and those below `keep_from` are not wanted: a file of
    the log goes once it has no other. `freed` is in bytes; `is_pending` says that a node has the
    chain open, and removes at its next start.
    """

    chain: str
    base: int
    keep_from: int
    first: int
    freed: int
    is_pending: bool


def prune(folder: Path | str, keep_blocks: int, progress: Progress = silent) -> PruneReport:
    """Give up bodies, but those of the last `keep_blocks` blocks, and of blocks in their file.

    Nothing is removed before a base that was read back has its place. Raises FolderError,
    StoreError, GenesisError, ModuleError.
    """
    place = Folder(folder)
    genesis = place.genesis()
    report, keep_from = lay_base(place, genesis, keep_blocks, progress)
    before = _log_bytes(place.path)
    first, is_pending = 0, False
    try:
        _, store = open_producer(place, genesis, None)
    except FolderInUse:
        is_pending = True
    else:
        first = store.first
        store.close()
    return PruneReport(
        chain=report.chain,
        base=report.height,
        keep_from=keep_from,
        first=first,
        freed=before - _log_bytes(place.path),
        is_pending=is_pending,
    )


def lay_base(
    place: Folder, genesis: Genesis, keep_blocks: int, progress: Progress = silent
) -> tuple[SnapshotReport, int]:
    """Make a base of the rows that there are; what it is of, and from where bodies are wanted.

    Nothing is removed here: that is for whoever opens the chain next. One process at a time makes
    one: two would take each other's files away. Raises as `prune` does.
    """
    if keep_blocks < 0:
        raise FolderError("keep 0 blocks or more")
    part = place.path / PART
    with held(place.path):  # one at a time
        _remove(part)
        report = take(place.path, part, progress)
        keep_from = max(0, report.height + 1 - keep_blocks, _kept_from(place, genesis))
        _put_in_place(place.path, genesis, part, report.height, keep_from)
    return report, keep_from


def _kept_from(place: Folder, genesis: Genesis) -> int:
    """From which block on bodies can be wanted: what is gone, or was given up, can't be again."""
    base = base_under(place.path, genesis)
    if base is None:
        return 0
    log = place.path / LOG
    numbers = segments_in(log)
    first = first_of(log, numbers, chain_id(genesis)) if numbers else base.height + 1
    return max(first, base.drop_below)


def _put_in_place(folder: Path, genesis: Genesis, part: Path, height: int, keep_from: int) -> None:
    """Give a new base its name, durably; one of that block may be there already, and is read back.

    Raises BadSnapshot.
    """
    target = folder / base_name(height)
    if target.exists():
        _remove(part)
        check_base(base_of(target, genesis), BlockChecks(genesis))
        keep_bodies(target, keep_from)
        return
    keep_bodies(part, keep_from)
    part.rename(target)
    sync_folder(folder)


def keep_bodies(base: Path, first: int) -> None:
    """Say in a base from which block on bodies are wanted."""
    write_new(base / KEEP, msgspec.json.encode(Keep(first)) + b"\n")


def _remove(part: Path) -> None:
    """Remove what a killed run has left, whatever state it was in."""
    for path in (part, part.with_name(f"{PART}.new")):
        if os.path.lexists(path):
            shutil.rmtree(path)


def _log_bytes(folder: Path) -> int:
    """The bytes of all files of the log."""
    return sum(path.stat().st_size for path in (folder / LOG).glob("*.log"))
