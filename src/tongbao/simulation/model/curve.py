"""Ed25519 by the book (RFC 8032 section 5.1.7), in whole numbers: slow, and plainly right."""

from __future__ import annotations

from hashlib import sha512
from typing import Final

P: Final = 2**255 - 19
ORDER: Final = 2**252 + 27742317777372353535851937790883648493
D: Final = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE: Final = pow(2, (P - 1) // 4, P)

Point = tuple[int, int, int, int]
"""X, Y, Z and T: x = X/Z, y = Y/Z, xy = T/Z."""

NEUTRAL: Final[Point] = (0, 1, 1, 0)


def _plus(a: Point, b: Point) -> Point:
    one, other = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    twice, both = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = other - one, both - twice, both + twice, other + one
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(count: int, point: Point) -> Point:
    found = NEUTRAL
    while count:
        if count & 1:
            found = _plus(found, point)
        point = _plus(point, point)
        count >>= 1
    return found


def _point(text: bytes) -> Point | None:
    """The point of 32 bytes, if they are one's."""
    number = int.from_bytes(text, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


_BASE: Final = _point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def signature_is_valid(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the holder of a key has signed a message."""
    assert _BASE is not None
    public, commitment = _point(key), signature[:32]
    scalar = int.from_bytes(signature[32:], "little")
    if public is None or scalar >= ORDER:
        return False
    challenge = int.from_bytes(sha512(commitment + key + message).digest(), "little") % ORDER
    x, y, z, _ = _plus(_times(scalar, _BASE), _times(ORDER - challenge, public))
    inverse = pow(z, -1, P)
    x, y = x * inverse % P, y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little") == commitment
