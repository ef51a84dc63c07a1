"""Signing behind one interface: a key in memory today, a token or a KMS tomorrow."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Final, Protocol

from nacl.bindings import crypto_sign, crypto_sign_seed_keypair
from nacl.utils import random as random_bytes

from tongbao.kernel.envelope import encode_base64url

SEED_BYTES: Final = 32
PUBLIC_KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
DERIVE_DOMAIN: Final = b"tongbao/derived-key/1"


class Signer(Protocol):
    """Something that signs with one key, wherever the key is."""

    @property
    def algorithm(self) -> str:
        """The name of the signature algorithm, `Ed25519`."""

    @property
    def public_key(self) -> bytes:
        """The 32 bytes of the public key."""

    @property
    def key_id(self) -> str:
        """The public key in base64url without padding: `kid` in headers."""

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature of a message."""


class SoftwareKey:
    """An Ed25519 key in this process's memory. Its repr shows the public key only."""

    __slots__ = ("_secret", "key_id", "public_key")
    algorithm: Final = "Ed25519"

    def __init__(self, seed: bytes) -> None:
        """Take a seed of 32 bytes (RFC 8032 section 5.1.5). Raises ValueError for another size."""
        if len(seed) != SEED_BYTES:
            raise ValueError("an Ed25519 seed has 32 bytes")
        self.public_key, self._secret = crypto_sign_seed_keypair(seed)
        self.key_id = encode_base64url(self.public_key)

    @classmethod
    def from_seed(cls, seed: bytes) -> SoftwareKey:
        """The key of a seed of 32 bytes."""
        return cls(seed)

    @classmethod
    def generate(cls) -> SoftwareKey:
        """A new key out of the operating system's randomness."""
        return cls(random_bytes(SEED_BYTES))

    @classmethod
    def derive(cls, seed: bytes, label: str) -> SoftwareKey:
        """A child key: HKDF-Expand with SHA-256 (RFC 5869 section 2.3) of a random seed.

        Its `info` is a domain of its own, then the label. One block is all that a seed takes. For
        demonstrations and tests that need thousands of keys out of one secret.
        """
        return cls(hmac.digest(seed, DERIVE_DOMAIN + label.encode() + b"\x01", sha256))

    @property
    def seed(self) -> bytes:
        """The secret seed, for keystores."""
        return self._secret[:SEED_BYTES]

    def sign(self, message: bytes) -> bytes:
        """The signature of a message (RFC 8032, deterministic)."""
        return crypto_sign(message, self._secret)[:SIGNATURE_BYTES]

    def __repr__(self) -> str:
        """The public key."""
        return f"SoftwareKey({self.key_id})"
