"""The record of a block: what one atomic append to the log keeps."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from operator import lt
from typing import Final

import msgspec
from msgspec import Struct

FIRST_REFUSAL: Final = 100
"""Outcome numbers from here on are refusals; lower ones mean that a transaction is invalid."""

KEY_LIMIT: Final = 511
"""The most bytes of a row's key: LMDB's own limit."""

ID_BYTES: Final = 32
"""The bytes of a transaction's id; an id of no bytes is of one that does not decode."""


def has_happened(number: int) -> bool:
    """Whether a transaction of this outcome was applied or refused, and so has a status.

    An invalid one in a block of a network may be any bytes, from whomever.
    """
    return number == 0 or number >= FIRST_REFUSAL


class BlockRecord(Struct, frozen=True, array_like=True, gc=False):
    """A block as the log keeps it: a MessagePack array of these members in this order.

    `rows` is the state difference in key order, index entries included; None removes. `outbox` has
    the id and outcome number of each transaction, for status and for indexes to feed on.
    """

    height: int
    time: int
    header: bytes
    transactions: tuple[bytes, ...]
    receipts: tuple[bytes, ...]
    rows: tuple[tuple[bytes, bytes | None], ...]
    outbox: tuple[tuple[bytes, int], ...]


class Status(Struct, frozen=True, array_like=True, gc=False):
    """Where a transaction stands, and its outcome number (0: applied)."""

    height: int
    index: int
    number: int


class HeaderLine(Struct, frozen=True, array_like=True, gc=False):
    """A block's signed header, as the copy of the headers keeps it."""

    height: int
    time: int
    header: bytes


def line_of(record: BlockRecord) -> HeaderLine:
    """What is kept of a block for ever."""
    return HeaderLine(record.height, record.time, record.header)


encode: Final = msgspec.msgpack.Encoder().encode
decode_record: Final = msgspec.msgpack.Decoder(BlockRecord).decode
decode_status: Final = msgspec.msgpack.Decoder(Status).decode
decode_header_line: Final = msgspec.msgpack.Decoder(HeaderLine).decode


def check_record(record: BlockRecord) -> None:
    """Whether rows and ids are such as every store can keep; if not, that is our own bug.

    Asked before a block is durable: afterwards it would stand in the way of every start.
    """
    keys = [key for key, _ in record.rows]
    assert all(map(lt, keys, islice(keys, 1, None))), "row keys ascend"
    assert not keys or (keys[0] and max(map(len, keys)) <= KEY_LIMIT), "a row's key is too long"
    lengths = {len(transaction_id) for transaction_id, _ in record.outbox}
    assert lengths <= {0, ID_BYTES}, "a transaction's id has 32 bytes"


def statuses_of(record: BlockRecord) -> Iterator[tuple[bytes, Status]]:
    """The ids that a block decided, with their status; invalid transactions have none."""
    for at, (transaction_id, number) in enumerate(record.outbox):
        if transaction_id and has_happened(number):
            yield transaction_id, Status(record.height, at, number)
