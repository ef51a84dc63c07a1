"""The equations of `tongbao.kernel.ed25519` in plain integers: slow, short, no library's code.

Nothing is shared with libsodium, and nothing is constant time: for tests only.
"""

from __future__ import annotations

from hashlib import sha512

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)

Point = tuple[int, int, int, int]
"""X, Y, Z, T with x = X/Z, y = Y/Z, x y = T/Z."""

NEUTRAL: Point = (0, 1, 1, 0)


def add(first: Point, second: Point) -> Point:
    """The sum by the complete formula for twisted Edwards curves with a = -1."""
    x1, y1, z1, t1 = first
    x2, y2, z2, t2 = second
    a = (y1 - x1) * (y2 - x2) % P
    b = (y1 + x1) * (y2 + x2) % P
    c = 2 * t1 * t2 * D % P
    d = 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(factor: int, point: Point) -> Point:
    """[factor]point by doubling and adding."""
    total = NEUTRAL
    while factor:
        if factor & 1:
            total = add(total, point)
        point = add(point, point)
        factor >>= 1
    return total


def minus(point: Point) -> Point:
    """The negative of a point."""
    x, y, z, t = point
    return -x % P, y, z, -t % P


def is_neutral(point: Point) -> bool:
    """Whether this is the neutral point (0, 1)."""
    x, y, z, _ = point
    return x % P == 0 and (y - z) % P == 0


def has_small_order(point: Point) -> bool:
    """Whether eight times the point is neutral."""
    return is_neutral(times(8, point))


def encode(point: Point) -> bytes:
    """The 32-byte form: y, and the parity of x in the top bit."""
    x, y, z, _ = point
    inverse = pow(z, -1, P)
    return (y * inverse % P | (x * inverse % P & 1) << 255).to_bytes(32, "little")


def decode(text: bytes) -> Point | None:
    """A point with this y modulo p and this parity; None if there is none on the curve."""
    number = int.from_bytes(text, "little")
    y, odd = number % 2**255 % P, number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * ROOT_OF_MINUS_ONE % P
    if x * x % P != square:
        return None
    if x & 1 != odd:
        x = -x % P
    return x, y, 1, x * y % P


def is_canonical(text: bytes) -> bool:
    """Whether y, without the sign bit, is below p."""
    return int.from_bytes(text, "little") % 2**255 < P


def challenge(r: bytes, public_key: bytes, message: bytes) -> int:
    """The number h of the equations."""
    return int.from_bytes(sha512(r + public_key + message).digest(), "little") % L


def accepts(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Equations 1 to 7, in their order."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    if s >= L or not is_canonical(public_key):
        return False
    key, nonce_point = decode(public_key), decode(r)
    if key is None or nonce_point is None:
        return False
    if has_small_order(key) or has_small_order(nonce_point):
        return False
    h = challenge(r, public_key, message)
    return encode(add(times(s, BASE), minus(times(h, key)))) == r


def accepts_with_cofactor(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """[8][S]B = [8]R + [8][h]A and nothing else: the rule that other libraries follow."""
    key, nonce_point = decode(public_key), decode(signature[:32])
    if key is None or nonce_point is None:
        return False
    h = challenge(signature[:32], public_key, message)
    s = int.from_bytes(signature[32:], "little")
    rest = add(times(s, BASE), minus(add(nonce_point, times(h, key))))
    return has_small_order(rest)


def key_is_acceptable(public_key: bytes) -> bool:
    """Whether this is the one spelling of a point of order L."""
    if len(public_key) != 32 or not is_canonical(public_key):
        return False
    key = decode(public_key)
    return key is not None and not is_neutral(key) and is_neutral(times(L, key))


def secret_scalar(seed: bytes) -> int:
    """The secret number of a seed (RFC 8032, section 5.1.5)."""
    digest = int.from_bytes(sha512(seed).digest()[:32], "little")
    return digest % 2**254 // 8 * 8 | 2**254


def _base() -> Point:
    """The base point: y = 4/5, x even."""
    point = decode((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    assert point is not None
    return point


def _small_points() -> tuple[Point, ...]:
    """The eight points of small order: 0 to 7 times one of order 8."""
    for y in range(2, 100):
        point = decode(y.to_bytes(32, "little"))
        if point is not None:
            small = times(L, point)
            if not is_neutral(times(4, small)):
                return tuple(times(i, small) for i in range(8))
    raise AssertionError("a point of order 8 is found at once")


BASE = _base()
SMALL_POINTS = _small_points()
