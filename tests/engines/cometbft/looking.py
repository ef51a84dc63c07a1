"""Waiting for what another process brings about."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

SECONDS = 60.0


def until(holds: Callable[[], bool], what: str = "it", seconds: float = SECONDS) -> None:
    """Look again and again until something holds; that it comes to hold is what is tested."""
    end, pause = time.monotonic() + seconds, threading.Event()
    while not holds():
        assert time.monotonic() < end, f"{what} did not become so"
        pause.wait(0.005)
