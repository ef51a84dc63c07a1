"""A statement's movements as CSV (RFC 4180): UTF-8 with a header line, amounts as exact text.

No cell needs quotes: they are times, digits, hex and references. A cell that a spreadsheet would
take for a formula has an apostrophe before it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tongbao.index.answers import StatementMovement
from tongbao.sdk.bundle import moment

HEAD: Final = b"time,way,amount,balance,counterparty,reference,id,height,index,place\r\n"
FORMULA: Final = ("=", "+", "-", "@")


def csv_lines(movements: Iterable[StatementMovement]) -> bytes:
    """A line for each movement, with its end; times as ISO 8601 in UTC."""
    return b"".join(map(_line, movements))


def _line(one: StatementMovement) -> bytes:
    cells = (
        moment(one.time),
        one.way,
        one.amount,
        one.balance,
        one.counterparty or "",
        harmless(one.reference or ""),
        one.id,
        one.height,
        one.index,
        one.place,
    )
    return (",".join(map(str, cells)) + "\r\n").encode()


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text
