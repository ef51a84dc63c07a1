"""Ed25519: the one rule by which a signature is valid, on every node, for ever.

Two libraries accept different edge cases, and two nodes that differ there are two ledgers. So the
rule is not "what the library says" but these equations, which the libsodium inside PyNaCl follows
and which `self_test` holds it to before a node does anything.

Write p = 2^255 - 19, B for the base point of RFC 8032, L for its prime order, d for the curve's
constant, `encode` for the 32-byte form of a point. A signature is R || s, 32 bytes each, s read
as the little-endian number S; A is the public key, M the message. It is valid when all hold:

    1.  key is 32 bytes, signature is 64 bytes
    2.  S < L                                        no second spelling of a signature
    3.  y(A) < p, y without the sign bit             no second spelling of a key
    4.  A is on the curve:  (y^2 - 1) / (d y^2 + 1) is a square
    5.  [8]A is not the neutral point                A is none of the 8 points of small order
    6.  [8]R is not the neutral point                the same for R
    7.  encode([S]B - [h]A) = R, byte for byte,      h = SHA-512(R || A || M) mod L

Equation 7 is the one without cofactor, and as it compares bytes, R has one spelling too. It does
allow keys with a part of small order beside the large one ("mixed order"), when h happens to
cancel it. A key like that makes signatures that come and go with the message, so `account` takes
only keys that `public_key_is_acceptable`: y < p, on the curve, [L]A neutral, and A not neutral.

The small points are, whatever the top bit of the last byte: y = 0, 1, p - 1, p, p + 1 and the two
of order 8, 26e8958f..d53fc05 and c7176a70..92ac037a. (y = p and p + 1 are spellings of 0 and 1.)

Signing is that of RFC 8032: it draws no random number, so the same message gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from nacl.bindings import (
    crypto_core_ed25519_is_valid_point,
    crypto_sign,
    crypto_sign_open,
    crypto_sign_seed_keypair,
)
from nacl.exceptions import BadSignatureError

SEED_BYTES = 32
PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64


class LibraryDiffersError(Exception):
    """The installed libsodium follows another rule: a node with it would leave the ledger."""


class Case(NamedTuple):
    """A frozen signature: key, message, signature in hex, and the answer of the rule."""

    what: str
    public_key: str
    message: str
    signature: str
    valid: bool


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature is valid by the equations above. Never raises."""
    if len(public_key) != PUBLIC_KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        crypto_sign_open(signature + message, public_key)
    except BadSignatureError:
        return False
    return True


def public_key_is_acceptable(public_key: bytes) -> bool:
    """Whether an account may have this key: one spelling, and in the group of prime order L."""
    return len(public_key) == PUBLIC_KEY_BYTES and crypto_core_ed25519_is_valid_point(public_key)


def public_key_of(seed: bytes) -> bytes:
    """The public key of a 32-byte secret seed."""
    assert len(seed) == SEED_BYTES, "a seed is 32 bytes"
    public_key: bytes = crypto_sign_seed_keypair(seed)[0]
    return public_key


def sign(seed: bytes, message: bytes) -> bytes:
    """The signature of `message` by a 32-byte secret seed."""
    assert len(seed) == SEED_BYTES, "a seed is 32 bytes"
    signed: bytes = crypto_sign(message, crypto_sign_seed_keypair(seed)[1])
    return signed[:SIGNATURE_BYTES]


# Test 1 of RFC 8032, section 7.1. All cases but the second and third satisfy equation 7 or its
# variant with cofactor 8, so it is the named property alone that decides them.
_SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
_KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
_R = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
_S = "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
_S_PLUS_L = "4c8c7872aa064e049dbb3013fbf29380d25bf5f0595bbe24655141438e7a101b"
_MIXED = "9158312a9a8d6e3b34c891d6d61444f8b8211c5117ebad15bdb0bd68b07e0245"
_MIXED_BY_ORDER_2 = "16a567fe7d4ef5482ab4012c369bf8c5f11e8d0c2559dcda50fde59708f8aee5"
_ORDER_8 = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
_NEUTRAL = "0100000000000000000000000000000000000000000000000000000000000000"
_NEUTRAL_AGAIN = "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
_FIVE = "0500000000000000000000000000000000000000000000000000000000000000"
_FIVE_B = "edc876d6831fd2105d0b4389ca2e283166469289146e2ce06faefe98b22548df"
_FIVE_B_MIXED = "d0424b701d60255de5df705071059ccd22b8349bb4138202ebbd65e9e0ad211b"

CASES = (
    Case("nothing wrong", _KEY, "", _R + _S, True),
    Case("another message", _KEY, "78", _R + _S, False),
    Case("S not below L", _KEY, "", _R + _S_PLUS_L, False),
    Case("a key of order 8", _ORDER_8, "31", _FIVE_B + _FIVE, False),
    Case("a second spelling of the key", _NEUTRAL_AGAIN, "30", _FIVE_B + _FIVE, False),
    Case(
        "a neutral R",
        _KEY,
        "30",
        _NEUTRAL + "59ef003ff1a66860903c4dc5a093720960a03c389f5f2459ff19a4e72024d808",
        False,
    ),
    Case(
        "a second spelling of R",
        _KEY,
        "30",
        _NEUTRAL_AGAIN + "3025439d280c3a2da765e3fa99ee4e4aa1a2553e337794c3d1b4af5c26aaa30d",
        False,
    ),
    Case(
        "a key of mixed order, cancelled",
        _MIXED,
        "32",
        _FIVE_B + "9567eb3f733f2b39227adde0f942f81961767a817cb90df60b83756d8d8fd20c",
        True,
    ),
    Case(
        "a key of mixed order, right only with cofactor",
        _MIXED,
        "30",
        _FIVE_B + "6fc0ceb0517318944f4614b6cade8ecef12814f1f81da6f0075ac407ff823e0e",
        False,
    ),
    Case(
        "an R of mixed order",
        _KEY,
        "30",
        _FIVE_B_MIXED + "e5cc2db0a041bda4576d6a940e1dc32f4061f344761bbcc6e15dbb37ac408705",
        False,
    ),
)
"""Frozen answers of the rule, one for each way in which libraries are known to differ."""

KEYS = (
    ("in order", _KEY, True),
    ("not on the curve", "02" + "00" * 31, False),
    ("the neutral point", _NEUTRAL, False),
    ("the neutral point, spelled again", _NEUTRAL_AGAIN, False),
    ("of order 8", _ORDER_8, False),
    ("of mixed order, by 8", _MIXED, False),
    # Releases of libsodium before the end of 2025 take this one.
    ("of mixed order, by 2", _MIXED_BY_ORDER_2, False),
)
"""Frozen answers to which keys an account may have."""


def self_test() -> None:
    """Check the installed library against the frozen cases. Raises LibraryDiffersError."""
    check_cases(CASES, KEYS)
    if sign(bytes.fromhex(_SEED), b"").hex() != _R + _S:
        raise LibraryDiffersError("libsodium signs otherwise than RFC 8032")


def check_cases(cases: Iterable[Case], keys: Iterable[tuple[str, str, bool]]) -> None:
    """Compare the library's answers with these. Raises LibraryDiffersError."""
    for case in cases:
        found = verify(*(bytes.fromhex(text) for text in case[1:4]))
        if found != case.valid:
            raise LibraryDiffersError(f"libsodium on a signature with {case.what}: {found}")
    for what, key, acceptable in keys:
        found = public_key_is_acceptable(bytes.fromhex(key))
        if found != acceptable:
            raise LibraryDiffersError(f"libsodium on a public key that is {what}: {found}")
