"""Ed25519 by ZIP-215: the rule by which CometBFT judges votes, and nothing else here.

It is not the ledger's rule for transactions (`kernel/ed25519.py`): it takes more. A signature
R || S of a message M by key A is valid when S < L, A and R are on the curve (any spelling of y,
reduced modulo p, is taken, and points of small order too), and

    [8][S]B = [8]R + [8][h]A        h = SHA-512(R || A || M) mod L

Whatever the ledger's rule takes, this one takes: its equation without cofactor, times 8, is the one
above. So libsodium is asked first, and the integers below only where it says no: a few
milliseconds, for signatures that no honest validator makes. Not in constant time; nothing here is
secret.

Source: Zcash improvement proposal 215, "Explicitly Defining and Modifying Ed25519 Validation
Rules".
"""

from __future__ import annotations

from hashlib import sha512
from typing import Final

from tongbao.kernel import ed25519

KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64

P: Final = 2**255 - 19
L: Final = 2**252 + 27742317777372353535851937790883648493
D: Final = -121665 * pow(121666, -1, P) % P
_ROOT_OF_MINUS_ONE: Final = pow(2, (P - 1) // 4, P)

Point = tuple[int, int, int, int]
"""X, Y, Z, T of RFC 8032, section 5.1.4: x = X/Z, y = Y/Z, x y = T/Z."""

_NEUTRAL: Final[Point] = (0, 1, 1, 0)


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature is valid by ZIP-215. Never raises."""
    return ed25519.verify(public_key, message, signature) or satisfies(
        public_key, message, signature
    )


def satisfies(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """The same in integers alone."""
    if len(public_key) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    scalar = int.from_bytes(signature[32:], "little")
    key, nonce = decode(public_key), decode(signature[:32])
    if scalar >= L or key is None or nonce is None:
        return False
    digest = sha512(signature[:32] + public_key + message).digest()
    challenge = int.from_bytes(digest, "little") % L
    rest = _add(_times_both(scalar, _BASE, challenge, _minus(key)), _minus(nonce))
    for _ in range(3):
        rest = _add(rest, rest)
    return rest[0] % P == 0 and (rest[1] - rest[2]) % P == 0


def decode(text: bytes) -> Point | None:
    """The point of 32 bytes, y taken modulo p; None where none is on the curve.

    An x of 0 with its sign bit set is taken as 0.
    """
    number = int.from_bytes(text, "little")
    y, odd = number % 2**255 % P, number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * _ROOT_OF_MINUS_ONE % P
    if x * x % P != square:
        return None
    if x & 1 != odd:
        x = -x % P
    return x, y, 1, x * y % P


def _add(first: Point, second: Point) -> Point:
    """The sum: complete for this curve, so that it needs no cases (RFC 8032, section 5.1.4)."""
    x1, y1, z1, t1 = first
    x2, y2, z2, t2 = second
    a = (y1 - x1) * (y2 - x2) % P
    b = (y1 + x1) * (y2 + x2) % P
    c = 2 * t1 * t2 * D % P
    d = 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _minus(point: Point) -> Point:
    x, y, z, t = point
    return -x % P, y, z, -t % P


def _times_both(first: int, one: Point, second: int, other: Point) -> Point:
    """[first]one + [second]other, with the doublings shared."""
    table = (_NEUTRAL, one, other, _add(one, other))
    total = _NEUTRAL
    for bit in range(max(first.bit_length(), second.bit_length()) - 1, -1, -1):
        total = _add(total, total)
        which = (first >> bit & 1) | (second >> bit & 1) << 1
        if which:
            total = _add(total, table[which])
    return total


def _base() -> Point:
    """The base point of RFC 8032: y = 4/5, x even."""
    point = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    assert point is not None
    return point


_BASE: Final = _base()
