"""A job in a child process that is ended at its n-th change of the disk, by `kill -9` or Ctrl-C."""

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


STOPPED: Final = 130
"""The exit code of a job that Ctrl-C has ended."""


def killed_at(count: int, job: Callable[[], object], by: signal.Signals = signal.SIGKILL) -> bool:
    """Run a job in a child that is sent a signal right before such a call; False when it ended
    before that.

    The caller has no thread, and nothing open that a child may not have as well.
    """
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _die_at(count, by)
        try:
            job()
        except KeyboardInterrupt:
            os._exit(STOPPED)
        finally:
            os._exit(1 if sys.exc_info()[0] else 0)
    _, ended = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(ended)
    assert code in (0, STOPPED, -signal.SIGKILL), "the job failed"
    return code != 0


def _die_at(count: int, by: signal.Signals) -> None:
    left = count

    def called(frame: FrameType, event: str, function: Any) -> None:
        nonlocal left
        if event == "c_call" and function.__name__ in CHANGES:
            left -= 1
            if left == -1:
                os.kill(os.getpid(), by)

    sys.setprofile(called)
