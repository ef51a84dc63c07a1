"""How a long feeding goes, told in the log now and then: how far, how fast, how much is left."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

log = logging.getLogger("tongbao.index")

TOLD_S: Final = 10.0
"""Seconds between two lines; what is quicker is not told at all."""


class Pace:
    """The blocks that were fed since a moment."""

    def __init__(self, height: int, clock: Callable[[], float] = time.monotonic) -> None:
        """From this height on, by a clock in seconds."""
        self._clock = clock
        self.begin(height)

    def begin(self, height: int) -> None:
        """From this height on, and from now on."""
        self._first = height
        self._begun = self._told = self._clock()

    def tell(self, height: int, newest: int) -> None:
        """A height was reached; the newest block that is known of may be a later one."""
        now = self._clock()
        if now - self._told < TOLD_S:
            return
        self._told = now
        rate = (height - self._first) / (now - self._begun)
        if newest > height and rate > 0:
            text = "index: block %d of %d, %d blocks a second, %d s left"
            log.info(text, height, newest, rate, (newest - height) / rate)
        else:
            log.info("index: block %d, %d blocks a second", height, rate)
