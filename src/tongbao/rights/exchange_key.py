"""Which X25519 public keys a buyer may have (RFC 7748): one spelling, and none of small order.

A key is the 32 bytes of a number u, little-endian, u < p = 2^255 - 19. Libraries take larger
numbers too and reduce them, which would be other spellings of a used key. From the points of order
1, 2, 4 and 8 every secret makes the same shared value, zero: whoever knows that reads the envelope.
Of both curve and twist they are the u below; p and above are larger spellings of them.
"""

from __future__ import annotations

from tongbao.modules.data.keys import coordinate_is_acceptable
from tongbao.rights.limits import KEY_BYTES


def exchange_key_is_acceptable(key: bytes) -> bool:
    """Whether an envelope may be made for this key. Never raises."""
    return len(key) == KEY_BYTES and coordinate_is_acceptable(key)
