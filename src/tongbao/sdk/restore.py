"""A chain's folder out of a backup: to its end, or to an earlier block on purpose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

from tongbao.kernel import Genesis
from tongbao.sdk.audit import STEP, Progress, silent
from tongbao.sdk.backup import believed, check_last, checks_of, kept_blocks, opened
from tongbao.sdk.backup_bases import bases_to_begin_with, copy
from tongbao.sdk.backup_folder import BackupFile, held
from tongbao.sdk.backup_log import LOG, BadBackup, Block, LogCopy
from tongbao.sdk.block_checks import BlockChecks
from tongbao.sdk.folder import Folder, sync_folder
from tongbao.sdk.opening import open_producer
from tongbao.sdk.pruning import keep_bodies
from tongbao.sdk.snapshot_folder import new_folder
from tongbao.store.base import Base
from tongbao.store.errors import StoreError
from tongbao.store.record import statuses_of
from tongbao.store.store import Store

OURS: Final = re.compile(
    r"(genesis|trust)\.(json|part)|log|state(\.\w+)?|headers|lock|room|base-[0-9]{10}"
)
"""What a restore that was killed may have left."""


class NotInBackup(StoreError):
    """A height or time that a backup does not reach; the text says what it has."""

    exit_code = 66


class RestoreReport(Struct, frozen=True, kw_only=True):
    """What was restored: blocks `first` to `height`; `left_out` later ones of the backup were not.

    `time` and `state_root` are the last block's (ms UTC; in hex).
    """

    chain: str
    first: int
    height: int
    time: int
    state_root: str
    left_out: int


def restore(
    backup: Path | str,
    target: Path | str,
    progress: Progress = silent,
    *,
    height: int | None = None,
    time: int | None = None,
    trust: bytes | None = None,
) -> RestoreReport:
    """Make a chain's folder of a backup, whole or not at all, and verify every block by the way.

    It ends with block `height`, or with the last one whose time is not later than `time` (ms UTC),
    else with the backup's last. The rows are made, and have the root that the last header commits
    to, before the folder has its name. Keys are in no backup: the chain can be read, and goes on
    when they are put back. `trust` is a trust file; without it the backup's own genesis says who
    may sign. Raises FolderError, StoreError (NotInBackup, BadBackup, DamagedLog, DiskFull and
    others), GenesisError, ModuleError, VerificationError, OSError.
    """
    assert height is None or time is None, "one end at most"
    folder, target = Path(backup), Path(target)
    with held(folder, to_read=True):
        file, genesis, keys = opened(folder, trust)
        _check_end(folder, file, height, time)
        with new_folder(target, OURS) as new:
            Folder(new).lay_out(genesis)
            checks = checks_of(folder, file, genesis, keys)
            blocks = _until(kept_blocks(folder, file), height, time)
            last = _copied(blocks, new, file, checks, progress)
            if last == file.height:
                check_last(folder, file, checks)
            base = _base_for(folder, genesis, file, last)
            if base is not None:
                copy(base.folder, new / base.folder.name)
                if file.first <= base.height:  # else the base stays what it was, a snapshot
                    keep_bodies(new / base.folder.name, file.first)
                sync_folder(new)
            _make_rows(new, genesis, base, file.first, progress)
        header = checks.header
        assert header is not None, "the last block was checked"
        return RestoreReport(
            chain=file.chain,
            first=file.first,
            height=last,
            time=header.time,
            state_root=header.state,
            left_out=file.height - last,
        )


def _check_end(folder: Path, file: BackupFile, height: int | None, time: int | None) -> None:
    """Whether a backup knows what is asked for. Raises NotInBackup."""
    if file.end is None:
        raise NotInBackup(f"{folder} has no block yet")
    if height is not None and not file.first <= height <= file.height:
        raise NotInBackup(
            f"{folder} has the blocks {file.first} to {file.height}, not {height}: nothing was "
            "made; name one of them, or use a backup that has it"
        )
    if time is not None and time > max(file.taken, file.time):
        raise NotInBackup(
            f"{folder} was taken at {file.taken} ms UTC and can't know what was acknowledged up to "
            f"{time}: nothing was made; name an earlier time, or none for all that it has"
        )


def _until(blocks: Iterator[Block], height: int | None, time: int | None) -> Iterator[Block]:
    """The blocks up to a height or a time."""
    for block in blocks:
        if time is not None and block.record.time > time:
            return
        yield block
        if block.record.height == height:
            return


def _copied(
    blocks: Iterator[Block], new: Path, file: BackupFile, checks: BlockChecks, progress: Progress
) -> int:
    """Write blocks, verified, into a new log; the height of the last. Raises NotInBackup."""
    (new / LOG).mkdir()
    last = -1
    with LogCopy(new / LOG, None) as copied:
        for block in believed(blocks, checks):
            copied.add(block)
            last = block.record.height
            if last % STEP == 0:
                progress("blocks", last + 1 - file.first, file.height + 2 - file.first)
        copied.sync()
    if last < 0:
        raise NotInBackup("every block of the backup is of a later time: nothing was made")
    progress("blocks", last + 1 - file.first, last + 1 - file.first)
    return last


def _base_for(folder: Path, genesis: Genesis, file: BackupFile, last: int) -> Base | None:
    """The base from which rows are made soonest. Raises NotInBackup where one is needed."""
    bases = bases_to_begin_with(folder, genesis, file.first, last)
    if bases:
        return bases[-1]
    if file.first == 0:
        return None
    raise NotInBackup(
        f"{folder} has no rows from which block {last} could be reached, as the blocks before "
        f"{file.first} were pruned: nothing was made; name a later block"
    )


def _make_rows(
    new: Path, genesis: Genesis, base: Base | None, first: int, progress: Progress
) -> None:
    """Open the new folder to read: its rows are made, and their root is the last header's.

    Where transactions stand comes out of the blocks, or out of a base, which no header commits to:
    the blocks that are there must say the same. Raises BadBackup, StoreError.
    """
    progress("rows", 0, 1)
    _, store = open_producer(Folder(new), genesis, None)
    try:
        if base is not None:
            _check_statuses(store, base, first)
    finally:
        store.close()
    progress("rows", 1, 1)


def _check_statuses(store: Store, base: Base, first: int) -> None:
    """Whether a base tells of the blocks from `first` on what they say themselves."""
    wrong = f"{base.folder} says otherwise than the blocks where transactions stand: remove it"
    decided = 0
    for height in range(first, base.height + 1):
        for transaction_id, status in statuses_of(store.block(height)):
            decided += 1
            if store.status(transaction_id) != status:
                raise BadBackup(f"{wrong} (block {height})")
    if decided != sum(status.height >= first for _, status in base.statuses()):
        raise BadBackup(f"{wrong} (it knows others)")
