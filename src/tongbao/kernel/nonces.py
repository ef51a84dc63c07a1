"""Nonces: each is used once, in any order, within a window of 512 around the highest used.

Per sender and lane the ledger keeps the highest nonce used and a map of the 256 below it, in the
manner of IPsec's replay window (RFC 4303 section 3.4.3): bit i stands for `highest - 1 - i`.
"""

from __future__ import annotations

from typing import Annotated, Final, NewType

from msgspec import Meta

from tongbao.kernel.identifiers import Count
from tongbao.kernel.reasons import Invalid, InvalidTransaction
from tongbao.kernel.schema import Record

WINDOW: Final = 256
_MASK: Final = (1 << WINDOW) - 1

Map = NewType("Map", Annotated[str, Meta(pattern=r"^(0|[1-9a-f][0-9a-f]{0,63})\Z")])
"""A map of 256 bits as a hexadecimal number without leading zeros."""


class Nonces(Record, version=1):
    """The nonces used in one lane of one account."""

    highest: Count
    used: Map


def check(seen: Nonces | None, nonce: int) -> None:
    """Whether `nonce` can be used. Raises InvalidTransaction when it can't be."""
    ahead = nonce if seen is None else nonce - seen.highest
    if not 0 < ahead <= WINDOW:
        use(seen, nonce)


def use(seen: Nonces | None, nonce: int) -> Nonces:
    """The record after `nonce` is used. Raises InvalidTransaction when it can't be."""
    highest = seen.highest if seen is not None else 0
    used = int(seen.used, 16) if seen is not None else 0
    ahead = nonce - highest
    if ahead > WINDOW:
        raise InvalidTransaction(Invalid.NONCE_IS_TOO_FAR, f"the highest used is {highest}")
    if ahead == 0:
        raise InvalidTransaction(Invalid.NONCE_WAS_USED)
    if ahead > 0:
        moved = ((used << 1) | (1 if highest else 0)) << (ahead - 1)
        return Nonces(highest=nonce, used=f"{moved & _MASK:x}")  # type: ignore[arg-type]
    bit = -ahead - 1
    if bit >= WINDOW:
        raise InvalidTransaction(Invalid.NONCE_IS_TOO_OLD, f"the highest used is {highest}")
    if used >> bit & 1:
        raise InvalidTransaction(Invalid.NONCE_WAS_USED)
    return Nonces(highest=Count(highest), used=Map(f"{used | 1 << bit:x}"))
