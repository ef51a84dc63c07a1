"""What has become of months that a buyer keeps: its rows may be wrong by now, or unwanted."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from tongbao.kernel import Address, Id, Time
from tongbao.modules import data
from tongbao.sdk.client import Client
from tongbao.sdk.data.facts import all_of, order_row


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
    return [
        change
        for _, licence in all_of(chain, data.licensed_to, buyer=buyer)
        for batch in order_row(chain, licence.order).batches
        if (change := _change(chain, licence, batch)) is not None
    ]


def _change(chain: Client, licence: data.Licence, batch: Id) -> Change | None:
    row = chain.query(data.batch, batch)
    if row is None or not (row.retired or row.superseded):
        return None
    last, latest = _latest(chain, batch, row)
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


def _latest(chain: Client, batch: Id, row: data.Batch) -> tuple[Id, data.Batch]:
    """The last version of a batch's month, itself where nothing follows."""
    following = {
        one.supersedes: (name, one)
        for name, one in (all_of(chain, data.batches_of, owner=row.owner) if row.superseded else ())
    }
    found = batch, row
    while found[0] in following:
        found = following[found[0]]
    return found
