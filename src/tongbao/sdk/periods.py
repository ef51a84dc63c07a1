"""The ends of a period as people and programs write them: ms UTC, a date, or a time with a zone.

And where a period can begin at all: an index that was made behind pruned bodies knows nothing of
what was held before, so that nobody may be told a balance of then.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from tongbao.store.record import HeaderLine

LAST_TIME: Final = 253_402_300_799_999
"""The last millisecond that has a date of four digits."""
FORM: Final = "milliseconds since 1970 UTC, a date such as 2030-01-31, or 2030-01-31T12:00:00Z"
_DIGITS: Final = re.compile("[0-9]{1,15}")
_DATE: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Headers(Protocol):
    """A chain as far as the times of its blocks are asked for."""

    def headers(self, first: int, last: int, /) -> list[HeaderLine]:
        """The headers of some heights, as far as they are there."""


class NotKnown(ValueError):
    """A period begins or ends before the first time that an index knows; the text says which."""


def known_from(chain: Headers, from_block: int) -> int:
    """The time in ms UTC from which on an index knows what moved that begins with a block.

    Before that block is made it is just after the last one before; after all times where this
    chain has neither.
    """
    if not from_block:
        return 0
    for height, later in ((from_block, 0), (from_block - 1, 1)):
        found = chain.headers(height, height)
        if found:
            return found[0].time + later
    return LAST_TIME + 1


def known_begin(known: int, from_block: int, first: int | None, before: int) -> int:
    """When a period begins of which all is known; one that names no `first` begins with that.

    Raises NotKnown.
    """
    begin = known if first is None else first
    if begin < known or before < known:
        raise NotKnown(
            f"this node's index begins at {known} ms UTC, with block {from_block}: ask from then "
            "on, or a node that knows what was before"
        )
    return begin


def moment_of(text: str) -> int:
    """A time in ms UTC; a date is its first moment in UTC. Raises ValueError."""
    if _DIGITS.fullmatch(text):
        found = int(text)
    else:
        found = _of_iso(f"{text}T00:00:00Z" if _DATE.fullmatch(text) else text)
    if not 0 <= found <= LAST_TIME:
        raise ValueError(f"{text[:40]!a} is not of the years 1970 to 9999: give {FORM}")
    return found


def _of_iso(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text[:40]!a} is no time: give {FORM}") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text[:40]!a} names no time zone: write it in UTC with a Z behind it")
    try:
        since = moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    except OverflowError:
        return -1
    return round(since.total_seconds() * 1_000)
