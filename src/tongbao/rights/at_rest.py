"""A batch as it lies in a store: sealed, padded, under a key of its own that its owner has wrapped.

    text         RFC 8785 form of {"header","rows","schema","secret"}
    chunks       as those of a package; key = 32 random bytes, context = the batch's commitment
    wrapping key HKDF-SHA256(owner's key, salt = commitment, info = "tongbao/data/wrap/1")
    wrapped key  AES key wrap (RFC 3394) of the batch's key under the wrapping key: 40 bytes

A batch of one row and one of sixty have the same size. Erasing a wrapped key everywhere erases the
batch. The store is told the commitment, the chunks and the wrapped key, and can open none of it.
"""

from __future__ import annotations

import secrets
from typing import Annotated, Final

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from msgspec import Meta, Struct

from tongbao.kernel import jcs
from tongbao.kernel.identifiers import Hash
from tongbao.rights.batch import Batch, Header, batch_is_true, commitment_of
from tongbao.rights.chunks import DoesNotOpen, chunk_count, open_chunks, seal_chunks
from tongbao.rights.limits import CHUNK_BYTES, KEY_BYTES, ROWS_LIMIT
from tongbao.rights.schema import Row, Schema, Value

WRAP_INFO: Final = b"tongbao/data/wrap/1"
BATCH_BYTES_LIMIT: Final = 64 * 1024 * 1024
"""The longest text of a batch that is read."""


class StoredBatch(Struct, frozen=True, kw_only=True):
    """What a store keeps of a batch."""

    commitment: bytes
    wrapped_key: bytes
    chunks: tuple[bytes, ...]


class _RowText(Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    event: Hash
    values: tuple[Value, ...]


class _BatchText(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    header: Header
    rows: Annotated[tuple[_RowText, ...], Meta(max_length=ROWS_LIMIT)]
    schema: Schema
    secret: Hash


_decoder = jcs.decoder(_BatchText)


def store_batch(batch: Batch, owner_key: bytes) -> StoredBatch:
    """Seal a batch under a new key, which the owner's 32-byte key wraps."""
    key = secrets.token_bytes(KEY_BYTES)
    commitment = commitment_of(batch.header)
    text = _text_of(batch)
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
    batch = _batch_of(b"".join(open_chunks(key, stored.commitment, stored.chunks)))
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


def _text_of(batch: Batch) -> bytes:
    rows = tuple(_RowText(row.event, row.values) for row in batch.rows)
    return jcs.encode(
        _BatchText(
            header=batch.header, rows=rows, schema=batch.schema, secret=Hash(batch.secret.hex())
        )
    )


def _batch_of(text: bytes) -> Batch:
    try:
        read = jcs.decode_canonical(_decoder, text)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise DoesNotOpen(f"what was sealed is no batch: {error}") from None
    rows = tuple(Row(row.event, row.values) for row in read.rows)
    return Batch(
        header=read.header, schema=read.schema, secret=bytes.fromhex(read.secret), rows=rows
    )
