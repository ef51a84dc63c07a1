"""What has become of months that a buyer keeps: its rows may be wrong by now, or unwanted."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Literal

from msgspec import Struct

from tongbao.kernel import Address, Id, Time
from tongbao.modules import data
from tongbao.sdk.client import Client
from tongbao.sdk.data.facts import all_of, order_row

Versions = dict[Id, tuple[Id, data.Batch]]


class Change(Struct, frozen=True, kw_only=True):
    """A bought month that was corrected, `by` another batch, or erased by its owner."""

    order: Id
    batch: Id
    owner: Address
    schema: data.Schema
    period: data.Period
    what: Literal["corrected", "erased"]
    by: Id | None
    delete_by: Time


def changes_of(chain: Client, buyer: Address) -> list[Change]:
    """What has changed of the months for which a buyer has a licence, by their order."""
    following = cache(partial(_following, chain))  # the batches of an owner are read once
    return [
        _change(licence, batch, row, *_latest(batch, row, following))
        for _, licence in all_of(chain, data.licensed_to, buyer=buyer)
        for batch in order_row(chain, licence.order).batches
        if (row := chain.query(data.batch, batch)) and (row.retired or row.superseded)
    ]


def _following(chain: Client, owner: Address) -> Versions:
    """The batches of an owner by the one that they correct."""
    rows = all_of(chain, data.batches_of, owner=owner)
    return {row.supersedes: (name, row) for name, row in rows if row.supersedes is not None}


def _latest(
    batch: Id, row: data.Batch, following: Callable[[Address], Versions]
) -> tuple[Id, data.Batch]:
    """The last version of a batch's month, itself where nothing follows."""
    # A version that came after the reading is told the next time.
    while row.superseded and (later := following(row.owner).get(batch)):
        batch, row = later
    return batch, row


def _change(
    licence: data.Licence, batch: Id, row: data.Batch, last: Id, latest: data.Batch
) -> Change:
    return Change(
        order=licence.order,
        batch=batch,
        owner=row.owner,
        schema=row.schema,
        period=row.period,
        what="erased" if latest.retired else "corrected",
        by=None if latest.retired else last,
        delete_by=licence.delete_by,
    )
