"""A batch as it lies in a store: sealed, padded, under a key of its own that its owner has wrapped.

    text         as in `batch_text.py`
    chunks       as those of a package; key = 32 random bytes, context = the batch's commitment
    wrapping key HKDF-SHA256(owner's key, salt = commitment, info = "tongbao/data/wrap/1")
    wrapped key  AES key wrap (RFC 3394) of the batch's key under the wrapping key: 40 bytes

A batch of one row and one of sixty have the same size. Erasing a wrapped key everywhere erases the
batch. The store is told the commitment, the chunks and the wrapped key, and can open none of it.
"""

from __future__ import annotations

import secrets
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from msgspec import Struct

from tongbao.rights.batch import Batch, batch_is_true, commitment_of
from tongbao.rights.batch_text import NoBatch, batch_text, read_batch_text
from tongbao.rights.chunks import DoesNotOpen, chunk_count, open_chunks, seal_chunks
from tongbao.rights.limits import BATCH_BYTES_LIMIT, CHUNK_BYTES, KEY_BYTES

WRAP_INFO: Final = b"tongbao/data/wrap/1"


class StoredBatch(Struct, frozen=True, kw_only=True):
    """What a store keeps of a batch."""

    commitment: bytes
    wrapped_key: bytes
    chunks: tuple[bytes, ...]


def store_batch(batch: Batch, owner_key: bytes) -> StoredBatch:
    """Seal a batch under a new key, which the owner's 32-byte key wraps. Raises TooLarge."""
    key = secrets.token_bytes(KEY_BYTES)
    commitment = commitment_of(batch.header)
    text = batch_text(batch)
    sealed = seal_chunks(key, commitment, (text,), len(text), chunk_count(len(text)))
    return StoredBatch(
        commitment=commitment,
        wrapped_key=wrap_key(owner_key, commitment, key),
        chunks=tuple(sealed),
    )


def load_batch(stored: StoredBatch, owner_key: bytes) -> Batch:
    """Open a stored batch, and hold it to its commitment. Raises DoesNotOpen.

    A store that returns other or older bytes is found out here.
    """
    key = unwrap_key(owner_key, stored.commitment, stored.wrapped_key)
    if len(stored.chunks) * CHUNK_BYTES > BATCH_BYTES_LIMIT:
        raise DoesNotOpen(f"a batch has at most {BATCH_BYTES_LIMIT} bytes")
    text = b"".join(open_chunks(key, stored.commitment, stored.chunks))
    try:
        batch = read_batch_text(text)
    except NoBatch as error:
        raise DoesNotOpen(f"what was sealed is no batch: {error}") from None
    if commitment_of(batch.header) != stored.commitment or not batch_is_true(batch):
        raise DoesNotOpen("the batch is not the one of its commitment")
    return batch


def wrap_key(owner_key: bytes, commitment: bytes, key: bytes) -> bytes:
    """A batch's key for its owner alone."""
    return aes_key_wrap(_wrapping_key(owner_key, commitment), key)


def unwrap_key(owner_key: bytes, commitment: bytes, wrapped: bytes) -> bytes:
    """The batch's key. Raises DoesNotOpen for another owner's, another batch's or a damaged one."""
    try:
        return aes_key_unwrap(_wrapping_key(owner_key, commitment), wrapped)
    except (InvalidUnwrap, ValueError):
        raise DoesNotOpen("the key was not wrapped by this owner for this batch") from None


def _wrapping_key(owner_key: bytes, commitment: bytes) -> bytes:
    assert len(owner_key) == KEY_BYTES
    return HKDF(SHA256(), KEY_BYTES, salt=commitment, info=WRAP_INFO).derive(owner_key)
