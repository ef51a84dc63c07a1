"""Which X25519 keys a buyer may give: one spelling of each, and none that shares with everybody."""

from base64 import urlsafe_b64decode
from typing import Final

PRIME: Final = 2**255 - 19

LOW_ORDER: Final = frozenset(
    (
        0,
        1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
        PRIME - 1,
    )
)
"""The u-coordinates below the prime of points of order 1, 2, 4 and 8, on the curve or its twist."""


def key_is_acceptable(key: str) -> bool:
    """Whether a key (RFC 7748 section 5) is below 2^255-19 and of no low order.

    A larger one is a second spelling; with one of low order every secret shared is the same.
    """
    return coordinate_is_acceptable(urlsafe_b64decode(f"{key}="))


def coordinate_is_acceptable(key: bytes) -> bool:
    """As `key_is_acceptable`, of the key's bytes: a number, little-endian."""
    coordinate = int.from_bytes(key, "little")
    return coordinate < PRIME and coordinate not in LOW_ORDER
