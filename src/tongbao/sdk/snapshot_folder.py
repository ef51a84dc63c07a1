"""The files of a snapshot: how they appear all at once, and how a foreign one is read with care.

    genesis.json    manifest.json    chunks/0123.rows ...
    history/headers    history/outcomes    history/entries

Without `history/` a snapshot has rows only, as they were made at first. A chunk is named by its
prefix; the one of a state that is a single chunk is `chunks/all.rows`.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tongbao.sdk.folder import FolderError, sync_folder
from tongbao.store.base import NAME as BASE
from tongbao.store.errors import DiskFull, FolderInUse, FolderMissing
from tongbao.store.log import FULL
from tongbao.store.snapshot.chunks import CHUNKS_LIMIT
from tongbao.store.snapshot.errors import BadSnapshot
from tongbao.store.snapshot.names import (
    CHUNKS,
    ENTRIES,
    GENESIS,
    HEADERS,
    HISTORY,
    MANIFEST,
    OUTCOMES,
)

TRUST: Final = "trust.json"
WORK: Final = "work"
"""Rows that are being cut; gone before a snapshot has its name."""

GENESIS_BYTES: Final = 64 * 1024 * 1024
"""The most bytes of a genesis file that a snapshot may have."""

OURS: Final = re.compile(
    r"(genesis|manifest|trust)\.(json|part)|chunks|history|work|base-[0-9]{10}"
)
"""What a snapshot that was begun may have in it, or a chain that begins at one."""


@contextmanager
def new_folder(
    target: Path, ours: re.Pattern[str] = OURS, *, goes_on: bool = False
) -> Iterator[Path]:
    """A folder beside `target` that takes its name when all has gone well, else is removed.

    What a killed process has left there is removed first, or used on with `goes_on`, if the name of
    each file is one of `ours`. Raises FolderError where something has the name already,
    FolderInUse, DiskFull, OSError.
    """
    new = target.with_name(target.name + ".new")
    descriptor = _begin(target, new, ours, goes_on=goes_on)
    try:
        yield new
        sync_folder(new)
        new.rename(target)
        sync_folder(target.parent)
    except BaseException as error:
        if isinstance(error, Exception) or not goes_on:
            shutil.rmtree(new, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in FULL:
            raise DiskFull(
                f"there is no space for {target} ({error.strerror}): make room, or name a folder "
                "on another disk; nothing is left under that name"
            ) from error
        raise
    finally:
        os.close(descriptor)


def _begin(target: Path, new: Path, ours: re.Pattern[str], *, goes_on: bool) -> int:
    """Make `new`, locked, and empty unless it `goes_on`; the descriptor keeps the lock."""
    if BASE.match(target.name):
        raise FolderError(
            f"{target.name} is what a chain calls the rows that its log goes on from: choose "
            "another name"
        )
    if os.path.lexists(target):
        raise FolderError(f"{target} is there already: name another folder, or remove it")
    if not target.parent.is_dir():
        raise FolderError(f"there is no folder {target.parent}: make it, or name another")
    try:
        new.mkdir(mode=0o750, exist_ok=True)
        descriptor = os.open(new, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except (FileExistsError, NotADirectoryError) as error:
        raise _not_ours(new) from error
    except OSError as error:
        raise _not_ours(new) if error.errno == errno.ELOOP else error from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not new.exists() or not os.path.samestat(os.fstat(descriptor), new.stat()):
            raise BlockingIOError
        if not all(ours.fullmatch(path.name) for path in new.iterdir()):
            raise _not_ours(new)
        if not goes_on:
            _empty(new)
    except BlockingIOError:
        os.close(descriptor)
        raise FolderInUse(f"another process makes {target}: wait for it, or name another") from None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _empty(new: Path) -> None:
    """Remove what a killed process has left."""
    for path in list(new.iterdir()):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _not_ours(new: Path) -> FolderError:
    return FolderError(f"{new} was not begun by this command: move it away, or name another folder")


def check_names(folder: Path) -> bool:
    """Whether a folder, which has the files of a snapshot and no others, has its history too.

    Names of chunks are not looked at. Raises FolderMissing, BadSnapshot.
    """
    if not folder.is_dir():
        raise FolderMissing(f"there is no folder {folder}: check the path")
    has_history = os.path.lexists(folder / HISTORY)
    folders = {CHUNKS, HISTORY} if has_history else {CHUNKS}
    expect_names(folder, {GENESIS, MANIFEST, *folders})
    for name in sorted(folders):
        if not stat.S_ISDIR(os.lstat(folder / name).st_mode):
            raise BadSnapshot(f"{folder / name} is no folder")
    if has_history:
        expect_names(folder / HISTORY, {HEADERS, OUTCOMES, ENTRIES})
    return has_history


def expect_names(folder: Path, wanted: set[str]) -> None:
    """Whether a folder has these names and no others. Raises BadSnapshot."""
    found: set[str] = set()
    with os.scandir(folder) as entries:
        for entry in entries:
            found.add(entry.name)
            if len(found) > CHUNKS_LIMIT:
                raise BadSnapshot(f"{folder} has more than {CHUNKS_LIMIT} files")
    for name in sorted(wanted - found):
        raise BadSnapshot(f"{folder / name} is missing: fetch the snapshot again")
    for name in sorted(found - wanted):
        raise BadSnapshot(f"{folder / name} is no part of this snapshot: remove it if it is yours")


def read_plain(path: Path, limit: int) -> bytes:
    """The bytes of a file that is a file, and no link to one, of at most `limit` bytes.

    Raises BadSnapshot, OSError.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise BadSnapshot(f"{path} is no plain file") from error
        raise
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise BadSnapshot(f"{path} is no plain file")
        if found.st_size > limit:
            raise BadSnapshot(f"{path} has {found.st_size} bytes, at most {limit} are read")
        return file.read(limit)
