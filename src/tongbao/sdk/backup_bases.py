"""Bases in a backup: rows of one block, so that a restore need not begin with genesis.

A chain whose first blocks were pruned has a base of its own, without which its log says nothing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from tongbao.engines.headers import Header
from tongbao.kernel import Genesis
from tongbao.sdk.audit import STEP, Progress
from tongbao.sdk.backup_folder import TAKEN
from tongbao.sdk.backup_log import BadBackup
from tongbao.sdk.bases import base_of, base_under
from tongbao.sdk.block_checks import BlockChecks
from tongbao.sdk.folder import sync_folder
from tongbao.sdk.snapshots import take
from tongbao.store.base import Base, base_heights, base_name
from tongbao.store.snapshot.manifest import MANIFEST_BYTES, read_manifest
from tongbao.store.snapshot.names import CHUNKS, HISTORY, MANIFEST

COPIED = ("genesis.json", MANIFEST)
"""Its files beside those of `chunks/` and `history/`; what it says of pruning stays behind."""


def remove_left_over(backup: Path) -> None:
    """Remove a base that a killed process had begun to bring."""
    for name in (TAKEN, f"{TAKEN}.new"):
        if (backup / name).exists():
            shutil.rmtree(backup / name)


def bring(
    folder: Path, genesis: Genesis, backup: Path, progress: Progress, *, with_snapshot: bool
) -> None:
    """Put a new base beside those of the backup, where `settle` finds it: a snapshot, or the
    chain's own, verified, if the backup lacks it. Raises StoreError, OSError.
    """
    if with_snapshot:
        take(folder, backup / TAKEN, progress)
        return
    own = base_under(folder, genesis)
    if own is not None and own.height not in base_heights(backup):
        check_base(own, BlockChecks(genesis))
        copy(own.folder, backup / TAKEN)


def copy(source: Path, target: Path) -> None:
    """Copy a base, durably but for its own name. Raises OSError."""
    target.mkdir()
    for name in COPIED:
        _copy_file(source / name, target / name)
    for name in (CHUNKS, HISTORY):
        (target / name).mkdir()
        for path in sorted((source / name).iterdir()):
            _copy_file(path, target / name / path.name)
        sync_folder(target / name)
    sync_folder(target)


def _copy_file(source: Path, target: Path) -> None:
    with source.open("rb") as old, target.open("xb") as new:
        shutil.copyfileobj(old, new)
        new.flush()
        os.fsync(new.fileno())


def settle(backup: Path) -> int | None:
    """Give a new base its name; the height of the newest one, if there is any. Raises OSError."""
    if (backup / TAKEN).exists():
        data = (backup / TAKEN / MANIFEST).read_bytes()
        name = base_name(read_manifest(data[:MANIFEST_BYTES]).height)
        if (backup / name).exists():
            remove_left_over(backup)
        else:
            (backup / TAKEN).rename(backup / name)
            sync_folder(backup)
    return max(base_heights(backup), default=None)


def drop_older(backup: Path, first: int) -> None:
    """Remove bases that a newer one replaces, but for the one with which a pruned log begins."""
    heights = base_heights(backup)
    needed = set(heights[-1:]) | (set(heights[:1]) if first else set())
    for height in heights:
        if height not in needed:
            shutil.rmtree(backup / base_name(height))


def bases_to_begin_with(backup: Path, genesis: Genesis, first: int, last: int) -> list[Base]:
    """The bases from which a log that begins with `first` gives the rows of `last`, ascending.

    Raises BadSnapshot, WrongChain, WrongVersion.
    """
    return [
        base_of(backup / base_name(height), genesis)
        for height in base_heights(backup)
        if first - 1 <= height <= last and (backup / base_name(height) / HISTORY).is_dir()
    ]


def check_before(
    folders: Iterable[Path], genesis: Genesis, first: int, checks: BlockChecks
) -> None:
    """Check the headers on which a log that begins with `first` stands, out of any of some bases.

    Raises BadBackup, BadSnapshot.
    """
    if first == 0:
        return
    for folder in folders:
        if (folder / HISTORY).is_dir():
            check_headers(base_of(folder, genesis), first - 1, checks)
            return
    raise BadBackup(
        f"the log begins with block {first}, and there is no base with the headers before it: "
        "bring the folder `base-...` back from another copy"
    )


def check_headers(base: Base, last: int, checks: BlockChecks) -> Header:
    """Check the headers of a base from genesis to `last`. Raises BadBackup, BadSnapshot."""
    for start in range(0, last + 1, STEP):
        for height, line in enumerate(base.lines(start, min(start + STEP - 1, last)), start):
            for finding in checks.of_line(line, height):
                raise BadBackup(f"{base.folder} can't be believed: {finding}")
    header = checks.header
    assert header is not None, "a header without a finding is one"
    if header.height != last:
        raise BadBackup(f"{base.folder} has no header of block {last}")
    return header


def check_base(base: Base, checks: BlockChecks) -> None:
    """Read a base whole: its rows are those that its signed header commits to, and no file of it
    is damaged. Raises BadBackup, BadSnapshot, OSError.
    """
    header = check_headers(base, base.height, checks)
    if header.state != base.manifest.root.hex():
        raise BadBackup(f"{base.folder} has other rows than its signed header commits to")
    for _ in base.rows():
        pass
    for _ in base.statuses():
        pass
