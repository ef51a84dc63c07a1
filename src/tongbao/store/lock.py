"""One process for one folder, or for what else a file stands for."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from tongbao.store.errors import FolderInUse, FolderMissing

PID_BYTES = 32


def take_lock(path: Path) -> int:
    """Take a file that stands for something private; the descriptor keeps it, as below.

    Raises BlockingIOError while somebody else has it, OSError.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def lock_folder(folder: Path) -> int:
    """Take the folder's `lock` file, which then names this process; the descriptor keeps it.

    The operating system gives the lock free when the descriptor is closed, however the process
    ends. Raises FolderMissing, FolderInUse, OSError.
    """
    if not folder.is_dir():
        raise FolderMissing(f"there is no folder {folder}: begin a chain with `tongbao init`")
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
    except BlockingIOError:
        owner = os.read(descriptor, PID_BYTES).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise FolderInUse(
            f"{folder} is in use by process {owner or 'unknown'}: stop that one first, "
            "or ask it instead"
        ) from None
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
