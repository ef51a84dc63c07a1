"""Backups: the blocks of a chain in another folder, verified, and later only what is new.

Taking one leaves the chain as it is, and needs no lock: a node may run on the folder, and goes on.
Keys are never copied. `restore.py` makes a chain of a backup again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from tongbao.engines.headers import header_hash
from tongbao.engines.solo.engine import wall_clock
from tongbao.kernel import Genesis
from tongbao.kernel.genesis import chain_id
from tongbao.sdk.audit import STEP, Progress, silent
from tongbao.sdk.backup_bases import (
    bring,
    check_base,
    check_before,
    drop_older,
    remove_left_over,
    settle,
)
from tongbao.sdk.backup_folder import (
    BackupFile,
    begun,
    held,
    last_header,
    read_file,
    read_own_genesis,
    write_file,
)
from tongbao.sdk.backup_log import (
    LOG,
    BadBackup,
    Block,
    LogCopy,
    blocks_from,
    cut,
    segments_in,
)
from tongbao.sdk.backup_source import Source
from tongbao.sdk.bases import base_of
from tongbao.sdk.block_checks import BlockChecks
from tongbao.sdk.folder import Folder
from tongbao.sdk.joined import need_history
from tongbao.sdk.proofs import TrustFile
from tongbao.sdk.verification import read_trust
from tongbao.store.base import base_heights, base_name
from tongbao.store.errors import DiskFull, StoreError, WrongChain
from tongbao.store.log import FULL
from tongbao.store.snapshot.names import HISTORY


class BackupReport(Struct, frozen=True, kw_only=True):
    """What a backup holds: blocks `first` to `height`, of which `new` came with this call.

    `time` and `hash` are the last block's (ms UTC; of its header, in hex). What was acknowledged up
    to `taken` (ms UTC) is there. `snapshot` is the height of the newest one, if there is any.
    """

    chain: str
    first: int
    height: int
    time: int
    hash: str
    new: int
    taken: int
    snapshot: int | None


def back_up(
    folder: Path | str,
    target: Path | str,
    progress: Progress = silent,
    *,
    with_snapshot: bool = False,
    clock: Callable[[], int] = wall_clock,
) -> BackupReport:
    """Bring the backup in `target` up to the chain in `folder`, or make it.

    Every new block is verified: its checksum, signature and place in the chain, and that its
    transactions, receipts and ids are those that its header commits to. When it fails, the backup
    is as it was, or as it was after the last whole file of the log. Another process may have the
    chain open, this one must not (LMDB). `clock` gives ms UTC. Raises
    FolderError, StoreError (BadBackup: another history, pruned blocks, or a block that can't be
    believed; DiskFull; FolderInUse and others), GenesisError, ModuleError, OSError.
    """
    place, target = Folder(folder), Path(target)
    genesis = place.genesis()
    need_history(place.path)
    try:
        with begun(target, genesis) as work:
            remove_left_over(work)
            try:
                return _extend(place.path, work, genesis, progress, clock, with_snapshot)
            except BaseException:
                remove_left_over(work)
                raise
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise DiskFull(
            f"there is no space for {target} ({error.strerror}): make room, then give the command "
            "again; what was there before is whole"
        ) from error


def _extend(
    folder: Path,
    work: Path,
    genesis: Genesis,
    progress: Progress,
    clock: Callable[[], int],
    with_snapshot: bool,
) -> BackupReport:
    """Copy what is new, and say so in `backup.json`."""
    chain = chain_id(genesis)
    before = read_file(work)
    checks = BlockChecks(genesis, last_header(work, before))
    bring(folder, genesis, work, progress, with_snapshot=with_snapshot)
    taken = clock()
    source = Source(folder, chain)
    if before.end is None:
        bases = (folder / base_name(each) for each in base_heights(folder))
        check_before(bases, genesis, source.first, checks)
    blocks = believed(source.blocks(work, before), checks)
    file = _copied(blocks, work, before, checks, source.known, progress)
    if file.end is None:
        raise StoreError(
            f"{folder} has no block of its own yet: start its node with the authority's key, then "
            "back it up; until then its base is what to keep, and can be copied as it is"
            if base_heights(folder)
            else f"{folder} has no block yet: begin the chain, then back it up"
        )
    file = replace(file, taken=taken, snapshot=settle(work))
    write_file(work, file)
    drop_older(work, file.first)
    had = 0 if before.end is None else before.height + 1 - before.first
    return _report(file, file.height + 1 - file.first - had)


def _copied(
    blocks: Iterable[Block],
    work: Path,
    before: BackupFile,
    checks: BlockChecks,
    known: int,
    progress: Progress,
) -> BackupFile:
    """Write blocks; what `backup.json` shall say then. It says so of each whole file at once."""
    log, saved = work / LOG, before
    try:
        with LogCopy(log, before.end) as copy:
            file = before
            for block in blocks:
                if copy.is_next_file(block) and file != saved:
                    copy.sync()
                    write_file(work, file)
                    saved = file
                copy.add(block)
                file = _with(file, block, checks)
                if file.height % STEP == 0:
                    progress("blocks", file.height + 1, max(known, file.height + 2))
            copy.sync()
    except BaseException:
        # Not `saved`: Ctrl-C may come when `backup.json` has its name and is not noted here yet.
        cut(log, read_file(work).end)
        raise
    progress("blocks", file.height + 1, file.height + 1)
    return file


def _with(file: BackupFile, block: Block, checks: BlockChecks) -> BackupFile:
    """What `backup.json` says once a block is there that was checked just now."""
    header = checks.header
    assert header is not None, "a block without a finding has a header"
    return replace(
        file,
        first=header.height if file.end is None else file.first,
        height=header.height,
        time=header.time,
        hash=header_hash(header),
        end=block.place,
    )


def believed(blocks: Iterable[Block], checks: BlockChecks) -> Iterator[Block]:
    """Blocks that follow those that were checked before. Raises BadBackup at the first other."""
    for block in blocks:
        for finding in checks.of_block(block.record, block.record.height):
            raise BadBackup(f"{finding}; look for the cause with `tongbao audit`")
        yield block


def kept_blocks(folder: Path, file: BackupFile) -> Iterator[Block]:
    """The blocks of a backup, to its end. Raises BadBackup, DamagedLog, OSError."""
    log = folder / LOG
    for block in blocks_from(log, segments_in(log), file.chain, file.first, None):
        yield block
        if block.record.height == file.height:
            if block.place != file.end:
                break
            return
    raise BadBackup(
        f"{log} does not have the blocks {file.first} to {file.height} of backup.json: this backup "
        "is damaged; use another one"
    )


def verify(
    target: Path | str, trust: bytes | None = None, progress: Progress = silent
) -> BackupReport:
    """Read a whole backup and verify it as one that a stranger has handed over.

    Headers must be signed by keys of the trust file; without one by those of the backup's own
    genesis file, which proves only that it is whole. Raises FolderError, BadBackup, DamagedLog,
    StoreError, OSError, and VerificationError where the trust file is none.
    """
    folder = Path(target)
    with held(folder, to_read=True):
        file, genesis, keys = opened(folder, trust)
        for height in base_heights(folder):
            if (folder / base_name(height) / HISTORY).is_dir():
                base = base_of(folder / base_name(height), genesis)
                check_base(base, BlockChecks(genesis, keys=keys))
        checks = checks_of(folder, file, genesis, keys)
        for block in believed(kept_blocks(folder, file), checks):
            done = block.record.height + 1 - file.first
            if done % STEP == 0 or block.record.height == file.height:
                progress("blocks", done, file.height + 1 - file.first)
        check_last(folder, file, checks)
        return _report(file, 0)


def check_last(folder: Path, file: BackupFile, checks: BlockChecks) -> None:
    """Whether the block that was checked last is the backup's last one. Raises BadBackup."""
    header = checks.header
    if header is None or (header_hash(header), header.time) != (file.hash, file.time):
        raise BadBackup(
            f"{folder} ends with another block than its backup.json says: use another backup"
        )


def opened(folder: Path, trust: bytes | None) -> tuple[BackupFile, Genesis, tuple[str, ...]]:
    """What a backup says, its genesis file, and the keys that may have signed its headers.

    Raises FolderError, BadBackup, WrongChain, VerificationError, OSError.
    """
    file = read_file(folder)
    genesis = read_own_genesis(folder, file)
    keys: tuple[str, ...] = tuple(genesis.engine.keys)
    if trust is not None:
        keys = _trusted(read_trust(trust), file, keys)
    return file, genesis, keys


def _trusted(trust: TrustFile, file: BackupFile, keys: tuple[str, ...]) -> tuple[str, ...]:
    if trust.chain != file.chain:
        raise WrongChain(f"the backup is of {file.chain}, the trust file of {trust.chain}")
    return tuple(key for key in keys if key in trust.keys)


def checks_of(
    folder: Path, file: BackupFile, genesis: Genesis, keys: tuple[str, ...]
) -> BlockChecks:
    """Checks for the first block of a backup's log. Raises BadBackup, BadSnapshot."""
    checks = BlockChecks(genesis, keys=keys)
    bases = (folder / base_name(height) for height in base_heights(folder))
    check_before(bases, genesis, file.first, checks)
    return checks


def _report(file: BackupFile, new: int) -> BackupReport:
    return BackupReport(
        chain=file.chain,
        first=file.first,
        height=file.height,
        time=file.time,
        hash=file.hash,
        new=new,
        taken=file.taken,
        snapshot=file.snapshot,
    )
