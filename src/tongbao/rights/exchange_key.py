"""Which X25519 public keys a buyer may have (RFC 7748): one spelling, and none of small order.

A key is the 32 bytes of a number u, little-endian, u < p = 2^255 - 19. Libraries take larger
numbers too and reduce them, which would be other spellings of a used key. From the points of order
1, 2, 4 and 8 every secret makes the same shared value, zero: whoever knows that reads the envelope.
Of both curve and twist they are the u below; p and above are larger spellings of them.
"""

from __future__ import annotations

from typing import Final

from tongbao.rights.limits import KEY_BYTES

PRIME: Final = 2**255 - 19

SMALL_ORDER: Final = (
    0,
    1,
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
    PRIME - 1,
)
"""u of the points of order 2 and 1, 4, 8, 8, and 4 of the twist."""


def exchange_key_is_acceptable(key: bytes) -> bool:
    """Whether an envelope may be made for this key. Never raises."""
    if len(key) != KEY_BYTES:
        return False
    number = int.from_bytes(key, "little")
    return number < PRIME and number not in SMALL_ORDER
