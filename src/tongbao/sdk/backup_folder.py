"""The folder of a backup: its files, who may write it, and how far it is known to be whole.

    backup.json    genesis.json    trust.json    log/00000000.log ...    base-0000001000/ ...

`backup.json` is replaced after everything that it speaks of is durable. What the log has behind the
place that it names was left by a process that was killed: nobody was told of it.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from tongbao.engines.headers import Header, HeaderError, header_hash, read_header
from tongbao.kernel import Genesis, GenesisError
from tongbao.kernel.genesis import chain_id, read_genesis, write_genesis
from tongbao.sdk.backup_log import LOG, BadBackup, Place, read_bytes
from tongbao.sdk.folder import BACKUP_FILE, Folder, FolderError, write_new
from tongbao.sdk.snapshot_folder import GENESIS_BYTES, new_folder, read_plain
from tongbao.store.errors import FolderInUse, FolderMissing, WrongChain, WrongVersion
from tongbao.store.frames import SEGMENT_HEAD, read_frame, read_segment_head
from tongbao.store.record import decode_record
from tongbao.store.recovery import segment_path
from tongbao.store.snapshot.errors import BadSnapshot

FORMAT: Final = "tongbao/backup/1"
FILE: Final = BACKUP_FILE
TAKEN: Final = "base"
"""A snapshot that has no height yet, while the blocks that it needs are copied."""

OURS: Final = re.compile(r"(backup|genesis|trust)\.(json|part)|log|base|base\.new|base-[0-9]{10}")
"""What a backup that was begun may have in it."""


class BackupFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `backup.json` says: which blocks are there, and where the last one stands.

    `first` and `height` are the first and last block's heights, `time` and `hash` the last one's
    (ms UTC; of its header, in hex). Every block that was acknowledged up to `taken` (ms UTC, by the
    clock of the machine) is there. `snapshot` is the height of the newest one, if there is any.
    """

    format: str
    chain: str
    first: int
    height: int
    time: int
    hash: str
    taken: int
    snapshot: int | None
    end: Place | None


def write_file(folder: Path, file: BackupFile) -> None:
    """Replace `backup.json`, durably: it is the old one or the new one. Raises OSError."""
    try:
        write_new(folder / FILE, msgspec.json.format(msgspec.json.encode(file)) + b"\n")
    except OSError:
        (folder / "backup.part").unlink(missing_ok=True)
        raise


def read_file(folder: Path) -> BackupFile:
    """What `backup.json` says. Raises FolderError, BadBackup, WrongVersion, OSError."""
    try:
        text = (folder / FILE).read_bytes()
    except FileNotFoundError as error:
        raise FolderError(
            f"{folder} is no backup: it has no {FILE}",
            "name the folder of a backup, or one that is not there yet for a new one",
        ) from error
    try:
        named = msgspec.json.decode(text, type=_Format).format
        if named != FORMAT:
            raise WrongVersion(
                f"{folder} has format {named!r}, this version reads {FORMAT}: "
                "use the version of tongbao that wrote it"
            )
        return msgspec.json.decode(text, type=BackupFile)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadBackup(
            f"{folder / FILE} is damaged ({error}): begin a new backup in another folder"
        ) from error


class _Format(Struct):
    """The one member that every version has."""

    format: str


def read_own_genesis(folder: Path, file: BackupFile) -> Genesis:
    """The genesis file of a backup. Raises BadBackup, OSError."""
    try:
        genesis = read_genesis(read_plain(folder / "genesis.json", GENESIS_BYTES))
    except (FileNotFoundError, BadSnapshot, GenesisError) as error:
        raise BadBackup(
            f"{folder / 'genesis.json'} can't be used ({error}): bring it back from another copy, "
            "every party of the chain has the same"
        ) from error
    if chain_id(genesis) != file.chain:
        raise BadBackup(
            f"{folder / 'genesis.json'} is of {chain_id(genesis)}, {FILE} of {file.chain}: "
            "bring the right one back from another copy"
        )
    return genesis


@contextmanager
def begun(target: Path, genesis: Genesis) -> Iterator[Path]:
    """The folder to write a backup of a chain in, for this process alone.

    It is `target` where a backup is there; else one beside it that takes its name when all has gone
    well. Raises FolderError, FolderInUse, WrongChain, BadBackup, DiskFull, OSError.
    """
    if os.path.lexists(target):
        with held(target):
            _check_chain(target, genesis)
            yield target
        return
    begun_before = target.with_name(target.name + ".new")
    if (begun_before / FILE).exists():
        with suppress(BadBackup):
            _check_chain(begun_before, genesis)  # another chain's is left alone
    with new_folder(target, OURS, goes_on=True) as new:
        if not (new / FILE).exists():
            _lay_out(new, genesis)
        _check_chain(new, genesis)
        yield new


def _lay_out(new: Path, genesis: Genesis) -> None:
    """The files of a backup without blocks; `backup.json` is the last of them."""
    (new / LOG).mkdir(exist_ok=True)
    if not Folder(new).exists:
        Folder(new).lay_out(genesis)
    empty = BackupFile(
        format=FORMAT,
        chain=chain_id(genesis),
        first=0,
        height=-1,
        time=0,
        hash="",
        taken=0,
        snapshot=None,
        end=None,
    )
    write_file(new, empty)


def _check_chain(folder: Path, genesis: Genesis) -> None:
    """Whether a backup is of this chain. Raises FolderError, WrongChain, BadBackup."""
    file = read_file(folder)
    if write_genesis(read_own_genesis(folder, file)) != write_genesis(genesis):
        raise WrongChain(
            f"{folder} is a backup of {file.chain}, not of {chain_id(genesis)}: "
            "name another folder for this chain's"
        )


@contextmanager
def held(folder: Path, *, to_read: bool = False) -> Iterator[None]:
    """A backup that nobody else writes meanwhile; with `to_read` others may read it as well.

    Raises FolderMissing, FolderInUse, OSError.
    """
    if not folder.is_dir():
        raise FolderMissing(f"there is no folder {folder}: check the path")
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if to_read else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise FolderInUse(f"another process uses {folder}: wait for it") from None
    try:
        yield
    finally:
        os.close(descriptor)


def last_header(folder: Path, file: BackupFile) -> Header | None:
    """The header of a backup's last block, as it stands in its log. Raises BadBackup."""
    if file.end is None:
        return None
    path = segment_path(folder / LOG, file.end.segment)
    head = read_segment_head(read_bytes(path, 0, SEGMENT_HEAD))
    data = read_bytes(path, file.end.start, file.end.end)
    frame = None if head is None else read_frame(head.salt, data, 0)
    try:
        if frame is None or frame.end != len(data):
            raise HeaderError("there is no whole block")
        header, _ = read_header(decode_record(frame.body(data)).header)
        if header_hash(header) != file.hash or header.height != file.height:
            raise HeaderError("it is another block")
    except (HeaderError, msgspec.DecodeError) as error:
        raise BadBackup(
            f"{path} is damaged at byte {file.end.start}, in block {file.height}: {error}. "
            "Nothing was changed; begin a new backup in another folder"
        ) from error
    return header
