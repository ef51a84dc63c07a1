"""Ctrl-C and SIGTERM while a network starts, runs and stops."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def told_to_stop(stopping: threading.Event) -> Iterator[threading.Event]:
    """Let Ctrl-C or SIGTERM set the event; before the yielded one is set, the first one raises.

    So a start that takes long is broken off, and stops what it has started. Further signals don't
    break off that stop.
    """
    ready = threading.Event()

    def stop(_: int, __: FrameType | None) -> None:
        is_first = not stopping.is_set()
        stopping.set()
        if is_first and not ready.is_set():
            raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield ready
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
