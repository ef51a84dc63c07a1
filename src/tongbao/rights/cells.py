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
from typing import Annotated, NewType

from msgspec import Meta

from tongbao.kernel import jcs
from tongbao.kernel.identifiers import Hash
from tongbao.modules.data.hashing import data_hash
from tongbao.rights.limits import FIELDS_LIMIT, SALT_BYTES
from tongbao.rights.schema import Row, Schema, Value

Salt = NewType("Salt", Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")])
"""16 random bytes in lowercase hex."""

OpenCell = tuple[Salt, Value]
Cell = Hash | OpenCell
"""A cell as others see it: its hash, or open."""

Cells = Annotated[tuple[Cell, ...], Meta(max_length=FIELDS_LIMIT + 1)]


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


def hash_of(name: str, cell: Cell) -> bytes:
    """The hash of a cell that others see; of an open one it is recomputed."""
    if isinstance(cell, str):
        return bytes.fromhex(cell)
    return cell_hash(name, bytes.fromhex(cell[0]), cell[1])


def project_row(
    schema: Schema, secret: bytes, number: int, row: Row, shown: frozenset[int]
) -> list[Cell]:
    """A row as others see it: the cells at the `shown` places open, the others hashes."""
    cells: list[Cell] = []
    for place, (name, value) in enumerate(zip(schema.cells, (row.event, *row.values), strict=True)):
        salt = salt_of(secret, number, name)
        if place in shown:
            cells.append((Salt(salt.hex()), value))
        else:
            cells.append(Hash(cell_hash(name, salt, value).hex()))
    return cells
