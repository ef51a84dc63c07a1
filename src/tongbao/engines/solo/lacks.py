"""What blocks need and is missing for a while: space on the disk, or the authority's signer.

Both are known from a block that could not be made. Then they are asked again: the disk by writing,
the signer by letting it sign something that is nothing.
"""

from __future__ import annotations

import logging
from typing import Final, TypeAlias

from tongbao.engines.solo.producer import Producer
from tongbao.engines.solo.signing import PROBE, SignerUnavailable
from tongbao.store.errors import DiskFull

log = logging.getLogger("tongbao.engines.solo")

WHY: Final = "disk full: no transactions are taken until there is space"
WHY_UNSIGNED: Final = "the authority's signer is away: no transactions are taken until it signs"

Lack: TypeAlias = DiskFull | SignerUnavailable


class Lacks:
    """What a producer lacks now. The engine's thread alone calls its methods."""

    def __init__(self, producer: Producer) -> None:
        """Begin with everything."""
        self._producer = producer
        self.lack: Lack | None = None

    @property
    def why(self) -> str | None:
        """What to tell of it; None where nothing is missing."""
        if self.lack is None:
            return None
        return WHY if self.is_disk_full else WHY_UNSIGNED

    @property
    def is_disk_full(self) -> bool:
        """Whether it is space on the disk."""
        return isinstance(self.lack, DiskFull)

    def check(self) -> None:
        """Raise DiskFull or SignerUnavailable, so that nothing is decided for nothing."""
        if self.lack is not None:
            raise type(self.lack)(str(self.lack))

    def lose(self, error: Lack) -> None:
        """A block could not be made. Logged once, until it can be."""
        if self.lack is None:
            self.lack = error
            log.error("%s (%s)", self.why, error)

    def look_for_room(self) -> None:
        """Ask again, by writing, whether there is space. Raises DiskFailed."""
        if self.is_disk_full and self._producer.find_room():
            self.lack = None
            log.warning("there is space on the disk again: transactions are taken")

    def look_for_signer(self) -> None:
        """Ask again whether the signer signs; it may take its time. Raises SignerError."""
        signer = self._producer.signer
        if signer is None or not isinstance(self.lack, SignerUnavailable):
            return
        try:
            signer.sign(PROBE)
        except SignerUnavailable as error:
            log.debug("the signer is still away: %s", error)
            return
        self.lack = None
        log.warning("the authority's signer signs again: transactions are taken")
