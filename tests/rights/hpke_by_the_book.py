"""HPKE (RFC 9180) written from its text, with the ephemeral key as an argument.

The library draws the ephemeral key, so it has no two equal envelopes and no golden one. This one
makes those; the vector that the RFC publishes for its curve and hash holds it to the RFC.
"""

from __future__ import annotations

import hmac
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEM = b"KEM" + (0x0020).to_bytes(2, "big")


def public_key_of(secret: bytes) -> bytes:
    """The X25519 public key of 32 secret bytes."""
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + material, "sha256")


def _expand(suite: bytes, prk: bytes, label: bytes, info: bytes, length: int) -> bytes:
    """Section 4; one block of 32 bytes is enough for all that is asked here."""
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(prk, labelled + b"\x01", sha256().name)[:length]


def seal(
    receiver: bytes,
    plain: bytes,
    info: bytes,
    ephemeral: bytes,
    *,
    aad: bytes = b"",
    bits: int = 256,
) -> bytes:
    """SealBase (section 6.1) with AES-GCM of so many bits: encapsulated key || ciphertext."""
    encapsulated = public_key_of(ephemeral)
    exchanged = X25519PrivateKey.from_private_bytes(ephemeral).exchange(
        X25519PublicKey.from_public_bytes(receiver)
    )
    prk = _extract(_KEM, b"", b"eae_prk", exchanged)
    shared = _expand(_KEM, prk, b"shared_secret", encapsulated + receiver, 32)
    suite = b"HPKE" + bytes((0, 0x20, 0, 1, 0, 1 if bits == 128 else 2))
    psk_id = _extract(suite, b"", b"psk_id_hash", b"")
    context = b"\x00" + psk_id + _extract(suite, b"", b"info_hash", info)
    secret = _extract(suite, shared, b"secret", b"")
    key = _expand(suite, secret, b"key", context, bits // 8)
    nonce = _expand(suite, secret, b"base_nonce", context, 12)
    return encapsulated + AESGCM(key).encrypt(nonce, plain, aad)
