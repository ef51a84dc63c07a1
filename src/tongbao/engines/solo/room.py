"""Whether the disk has space for blocks: known from a write that failed, and then asked again."""

from __future__ import annotations

import logging
from typing import Final

from tongbao.engines.solo.producer import Producer
from tongbao.store.errors import DiskFull

log = logging.getLogger("tongbao.engines.solo")

WHY: Final = "disk full: no transactions are taken until there is space"


class Room:
    """Space on the disk of a producer's store. The engine's thread alone calls its methods."""

    def __init__(self, producer: Producer) -> None:
        """Begin with space."""
        self._producer = producer
        self.lack: DiskFull | None = None

    def check(self) -> None:
        """Raise DiskFull while there is no space, so that nothing is decided for nothing."""
        if self.lack is not None:
            raise DiskFull(str(self.lack))

    def lose(self, error: DiskFull) -> None:
        """A write found no space. Logged once, until there is some again."""
        if self.lack is None:
            log.error("%s (%s)", WHY, error)
            self.lack = error

    def look(self) -> None:
        """Ask again, by writing, whether there is space. Raises DiskFailed."""
        if self.lack is not None and self._producer.find_room():
            self.lack = None
            log.warning("there is space on the disk again: transactions are taken")
