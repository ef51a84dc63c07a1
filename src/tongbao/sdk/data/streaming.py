"""STREAM: monthly orders, one for each new batch of an owner's, as long as the stream stands."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from tongbao.kernel import Address, Amount, AssetId, Id
from tongbao.modules import data
from tongbao.rights.requests import Why
from tongbao.sdk.client import Client
from tongbao.sdk.data.facts import all_of

CALLED_OFF: Final = ("cancelled", "withdrawn", "lapsed")
"""Phases in which an order brought nothing: its batch is ordered again only when told so."""


class Stream(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The terms of each order: what of a new batch, for how much, kept for how long (ms)."""

    owner: Address
    schema: data.Schema
    fields: tuple[data.Field, ...]
    purpose: data.Purpose
    asset: AssetId
    price: Amount
    fee: Amount
    deletion_bond: Amount
    keep_ms: int
    why: Why
    agent: Address | None = None
    corrections: bool = False


def due_batches(chain: Client, buyer: Address, stream: Stream, *, again: bool = False) -> list[Id]:
    """The live batches that no order of the buyer's has yet, the oldest month first.

    A batch that corrects an ordered one is due only where the stream says `corrections`; one whose
    order was called off or lapsed only `again`.
    """
    ordered = {
        batch
        for _, row in all_of(chain, data.bought, buyer=buyer)
        if row.owner == stream.owner and row.mode == "stream"
        if not (again and row.phase in CALLED_OFF)
        for batch in row.batches
    }
    rows = {
        name: row
        for name, row in all_of(chain, data.batches_of, owner=stream.owner)
        if row.schema == stream.schema
    }
    due = [
        (row.period, name)
        for name, row in rows.items()
        if name not in ordered and not row.superseded and not row.retired
        if stream.corrections or not _corrects(rows, row, ordered)
    ]
    return [name for _, name in sorted(due)]


def _corrects(rows: dict[Id, data.Batch], row: data.Batch, ordered: set[Id]) -> bool:
    """Whether an earlier version of the month was ordered."""
    before = row.supersedes
    while before is not None and before in rows:
        if before in ordered:
            return True
        before = rows[before].supersedes
    return False
