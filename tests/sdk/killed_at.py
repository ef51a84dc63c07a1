"""A job in a child process that is killed at its n-th change of the disk, as by `kill -9`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

CHANGES: Final = frozenset(
    (
        *("fdatasync", "fsync", "ftruncate", "mkdir", "open", "rename", "rmdir", "truncate"),
        *("unlink", "write"),
    )
)
"""Functions of the system that change a disk, or open what is changed."""


def killed_at(count: int, job: Callable[[], object]) -> bool:
    """Run a job in a child that dies right before such a call; False when it ended before that.

    The caller has no thread, and nothing open that a child may not have as well.
    """
    child = os.fork()
    if child == 0:
        _die_at(count)
        try:
            job()
        finally:
            os._exit(1 if sys.exc_info()[0] else 0)
    _, ended = os.waitpid(child, 0)
    if os.WIFSIGNALED(ended):
        assert os.WTERMSIG(ended) == signal.SIGKILL
        return True
    assert os.waitstatus_to_exitcode(ended) == 0, "the job failed"
    return False


def _die_at(count: int) -> None:
    left = count

    def called(frame: FrameType, event: str, function: Any) -> None:
        nonlocal left
        if event == "c_call" and function.__name__ in CHANGES:
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(called)
