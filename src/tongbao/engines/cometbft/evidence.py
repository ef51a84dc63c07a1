"""What validators were caught at: counted since this process began, and logged once a block."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final

from tongbao.engines.cometbft.messages import Misbehavior, MisbehaviorType

log = logging.getLogger("tongbao.engines.cometbft")

KINDS: Final = tuple(kind.name.lower() for kind in MisbehaviorType)
"""The kinds that are counted, as metrics name them; a kind that is not known is `unknown`."""
LINES_LIMIT: Final = 16
"""Lines that one block's evidence may put into the log; all of it is counted."""


def kind_of(found: Misbehavior) -> str:
    """The name of what somebody was caught at."""
    return KINDS[found.type if 0 <= found.type < len(KINDS) else MisbehaviorType.UNKNOWN]


class Evidence:
    """The evidence in the blocks that this process has carried out."""

    def __init__(self) -> None:
        """Begin with none."""
        self._counts = dict.fromkeys(KINDS, 0)
        self._height = 0

    @property
    def counts(self) -> Mapping[str, int]:
        """How often each kind was seen since this process began."""
        return dict(self._counts)

    def saw(self, height: int, found: Iterable[Misbehavior]) -> None:
        """Take in what a block says, once: a block that is carried out again is no second time."""
        if height <= self._height:
            return
        self._height = height
        evidence = tuple(found)
        for one in evidence:
            self._counts[kind_of(one)] += 1
        for one in islice(evidence, LINES_LIMIT):
            address = b"" if one.validator is None else one.validator.address
            log.error(
                "block %d has evidence (%s) of block %d against validator %s",
                *(height, kind_of(one), one.height, address.hex().upper()),
            )
