"""A batch whole, as one text: what a store keeps sealed, and what a source sends its person.

    text   RFC 8785 form of {"header","rows":[[EVENT,[VALUE,...]],...],"schema","secret"}

It has the secret: who has the text can open every cell, and make copies of less.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from tongbao.kernel import jcs
from tongbao.kernel.identifiers import Hash
from tongbao.rights.batch import Batch, Header
from tongbao.rights.chunks import TooLarge
from tongbao.rights.limits import BATCH_BYTES_LIMIT, ROWS_LIMIT
from tongbao.rights.schema import Row, Schema, Value


class NoBatch(ValueError):
    """A text is not that of a batch; the message says what is wrong with it."""


class RowText(Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """A row: [EVENT, [VALUE, ...]]."""

    event: Hash
    values: tuple[Value, ...]


class BatchText(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The members of the text."""

    header: Header
    rows: Annotated[tuple[RowText, ...], Meta(max_length=ROWS_LIMIT)]
    schema: Schema
    secret: Hash

    def batch(self) -> Batch:
        """The batch; whether its parts belong together, `batch_is_true` says."""
        rows = tuple(Row(row.event, row.values) for row in self.rows)
        secret = bytes.fromhex(self.secret)
        return Batch(header=self.header, schema=self.schema, secret=secret, rows=rows)


_decoder = jcs.decoder(BatchText)


def batch_text(batch: Batch) -> bytes:
    """The text of a batch. Raises TooLarge."""
    rows = tuple(RowText(row.event, row.values) for row in batch.rows)
    secret = Hash(batch.secret.hex())
    text = jcs.encode(BatchText(header=batch.header, rows=rows, schema=batch.schema, secret=secret))
    if len(text) > BATCH_BYTES_LIMIT:
        raise TooLarge(f"{len(text)} bytes; a batch has at most {BATCH_BYTES_LIMIT}")
    return text


def read_batch_text(text: bytes) -> Batch:
    """The batch of a text. Raises NoBatch."""
    if len(text) > BATCH_BYTES_LIMIT:
        raise NoBatch(f"{len(text)} bytes; a batch has at most {BATCH_BYTES_LIMIT}")
    try:
        read: BatchText = jcs.decode_canonical(_decoder, text)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise NoBatch(str(error)) from None
    return read.batch()
