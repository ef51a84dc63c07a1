"""The key of a package, of which the buyer gets one half and the ledger shows the other.

    key      HKDF-SHA256(a || b, salt = order, info = "tongbao/data/package/1"), 32 bytes
    a_commit H("a", order, a)      the buyer checks `a` by it before anything is owed
    b_lock   H("b", order, b)      publishing `b` earns the money

`a` and `b` are 32 random bytes each, drawn for one order and never used again; `order` is the
order's id, 20 bytes. Neither half opens anything alone.
"""

from __future__ import annotations

import secrets

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct

from tongbao.modules.data.hashing import data_hash
from tongbao.rights.limits import KEY_BYTES

PACKAGE_INFO = b"tongbao/data/package/1"


class Halves(Struct, frozen=True):
    """Both halves of one package's key. Only who seals it ever has them together before the end."""

    a: bytes
    b: bytes


def draw_halves() -> Halves:
    """Two new halves. `b` is on disk before the ledger is told of its lock."""
    return Halves(secrets.token_bytes(KEY_BYTES), secrets.token_bytes(KEY_BYTES))


def a_commit_of(order: bytes, a: bytes) -> bytes:
    """The 32 bytes by which a buyer knows that `a` is the right one."""
    return data_hash("a", order, a)


def b_lock_of(order: bytes, b: bytes) -> bytes:
    """The 32 bytes that `b` opens on the ledger."""
    return data_hash("b", order, b)


def package_key(order: bytes, a: bytes, b: bytes) -> bytes:
    """The key of an order's package (RFC 5869)."""
    return HKDF(SHA256(), KEY_BYTES, salt=order, info=PACKAGE_INFO).derive(a + b)
