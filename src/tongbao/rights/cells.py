"""The hashes of a row: each value alone under a salt of its own, then the row, then the month.

    salt of a cell   first 16 bytes of HMAC-SHA256(batch secret, ROW "/" NAME), ROW in decimal
    cell             H("cell", name, salt, RFC 8785 form of the value)
    leaf             H("row", row as 4 bytes, cells in the order of the schema)

Rows are counted from 0. Never a plain hash: whoever sees the hash of a number of eggs tries out
all numbers of eggs.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from tongbao.kernel import jcs
from tongbao.modules.data.hashing import data_hash
from tongbao.rights.limits import SALT_BYTES
from tongbao.rights.schema import Row, Schema, Value


def salt_of(secret: bytes, row: int, name: str) -> bytes:
    """The 16 bytes that hide the value `name` of a row; only its batch's secret gives them."""
    return hmac.digest(secret, f"{row}/{name}".encode(), "sha256")[:SALT_BYTES]


def cell_hash(name: str, salt: bytes, value: Value) -> bytes:
    """The hash of one value under its name and its salt."""
    return data_hash("cell", name.encode(), salt, jcs.encode(value))


def leaf_of(row: int, cells: Sequence[bytes]) -> bytes:
    """What a row is in the tree of its batch."""
    return data_hash("row", row.to_bytes(4, "big"), *cells)


def cells_of(schema: Schema, secret: bytes, number: int, row: Row) -> list[bytes]:
    """The hashes of a row's cells in order, the event's first."""
    values = (row.event, *row.values)
    return [
        cell_hash(name, salt_of(secret, number, name), value)
        for name, value in zip(schema.cells, values, strict=True)
    ]
