"""Who has a network's folder: one process at a time, and what a killed one has left running.

The lock of the folder is taken before anything is made, started or removed, and freed by the system
however its process ends. Members go on when the process that started them is killed; each holds the
lock of its own folder, and so is found.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from tongbao.localnet.errors import LocalnetError
from tongbao.localnet.plan import MEMBERS_LIMIT
from tongbao.store.errors import FolderInUse
from tongbao.store.lock import PID_BYTES, lock_folder

LOCK: Final = "lock"
IN_USE: Final = 75
END_SECONDS: Final = 30.0
NODE_COMMAND: Final = b"\0run\0--folder\0"
"""What stands in the command line of every member, and of no command that only reads."""


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Have the folder, which is there. Raises LocalnetError while another process has it."""
    descriptor = hold(folder)
    try:
        yield
    finally:
        os.close(descriptor)


def hold(folder: Path) -> int:
    """Take the folder's lock, until the descriptor is closed. Raises LocalnetError."""
    try:
        return lock_folder(folder)
    except FolderInUse as error:
        raise LocalnetError(
            f"the network of {folder} runs already, or is being started, stopped or removed",
            f"see `tongbao localnet status --folder {folder}`, or stop it with `stop`",
            IN_USE,
        ) from error


def is_held(folder: Path) -> bool:
    """Whether a process has the folder."""
    return _holder(folder / LOCK) is not None


def end_left_behind(folder: Path) -> list[str]:
    """End members that a killed process has left running; their names.

    Raises LocalnetError where something else, such as an audit, uses a member's folder.
    """
    ended = []
    for lock in sorted(folder.glob(f"*/{LOCK}"))[: 2 * MEMBERS_LIMIT]:
        pid = _holder(lock)
        if pid is None:
            continue
        if not _is_node(pid):
            raise LocalnetError(
                f"{lock.parent} is in use by process {pid}", "wait for its end, or end it", IN_USE
            )
        _end(pid)
        ended.append(lock.parent.name)
    return ended


def _holder(lock: Path) -> int | None:
    """The process that has a lock; 0 where it has not written its number yet."""
    try:
        descriptor = os.open(lock, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.read(descriptor, PID_BYTES).strip()
        return int(text) if text.isdigit() else 0
    finally:
        os.close(descriptor)
    return None


def _is_node(pid: int) -> bool:
    with suppress(OSError):
        return NODE_COMMAND in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def _end(pid: int) -> None:
    """End a process, which may be paused, as its operator would; by force after a while."""
    with suppress(ProcessLookupError):
        watched = os.pidfd_open(pid)
        try:
            poll = select.poll()
            poll.register(watched, select.POLLIN)
            for number in (signal.SIGTERM, signal.SIGKILL):
                signal.pidfd_send_signal(watched, number)
                signal.pidfd_send_signal(watched, signal.SIGCONT)
                if poll.poll(END_SECONDS * 1_000):
                    return
        finally:
            os.close(watched)
