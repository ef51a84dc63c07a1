"""The ends of a period as people and programs write them: ms UTC, a date, or a time with a zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

LAST_TIME: Final = 253_402_300_799_999
"""The last millisecond that has a date of four digits."""
FORM: Final = "milliseconds since 1970 UTC, a date such as 2030-01-31, or 2030-01-31T12:00:00Z"
_DIGITS: Final = re.compile("[0-9]{1,15}")
_DATE: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


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
