"""HPKE (RFC 9180), base mode, one shot: a short secret for the holder of one X25519 key.

    DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM; no additional data
    sealed = encapsulated key (32 bytes) || ciphertext, 16 bytes longer than what is in it

Anybody can seal for a key: who did so, only what is inside, or a signature beside it, can tell.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from tongbao.rights.exchange_key import exchange_key_is_acceptable

_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class BadKey(ValueError):
    """Nothing may be sealed for this key: no X25519 key, a second spelling, or of small order."""


class DoesNotArrive(ValueError):
    """What was sealed is for another key, bound to something else, or damaged."""


def seal_for(receiver_key: bytes, plain: bytes, info: bytes) -> bytes:
    """`plain` for the holder of `receiver_key` alone, bound to `info`. Raises BadKey."""
    if not exchange_key_is_acceptable(receiver_key):
        raise BadKey("an X25519 key has 32 bytes, is below 2^255 - 19 and not of small order")
    return _SUITE.encrypt(plain, X25519PublicKey.from_public_bytes(receiver_key), info=info)


def open_for(secret: bytes, sealed: bytes, info: bytes) -> bytes:
    """What was sealed for the key of `secret`, bound to `info`. Raises DoesNotArrive."""
    try:
        return _SUITE.decrypt(sealed, X25519PrivateKey.from_private_bytes(secret), info=info)
    except (InvalidTag, ValueError):
        raise DoesNotArrive("sealed for another key, or bound to something else") from None
