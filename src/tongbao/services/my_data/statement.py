"""What a person has earned: by buyer, purpose and month, to the last unit, as the ledger has it.

Three kinds of money come to an owner, and `pull` brings them together:

    grant  the price of an order less its fee; all of it where the owner has sealed itself
    lapse  the price that an agent pays that has let a confirmed order lapse
    bond   the deletion bond of a buyer that has not attested in time

Orders tell the first two. How a licence ended stands in an event alone, so the third is counted
where events were looked through, and else the statement says of how many bonds it does not know.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec
from msgspec import Struct

from tongbao.kernel import Amount
from tongbao.modules import data
from tongbao.services.my_data.ledger import SOLD, Owned

Kind = Literal["grant", "lapse", "bond"]

DELETED: Final = "data.deleted"


class Earned(Struct, frozen=True, kw_only=True):
    """What came of orders of one buyer for one purpose in one month."""

    amount: str
    asset: str
    buyer: str
    grants: int
    kind: Kind
    period: str
    purpose: str


class Statement(Struct, frozen=True, kw_only=True):
    """All of it, with a total for each asset; `bonds_unknown` may have come or gone back."""

    bonds_unknown: int
    lines: tuple[Earned, ...]
    totals: dict[str, str]


Came = tuple[Kind, data.Order, Amount, int]
"""What came of an order, and when."""


def statement(owned: Owned, forfeited: Mapping[str, int] | None = None) -> Statement:
    """The statement of whatever has come to the person; `forfeited` is what `look_for_bonds` found.

    Each amount counts in the month (UTC) in which it came.
    """
    units: dict[tuple[str, str, str, str, Kind], list[Amount]] = defaultdict(list)
    totals: dict[str, list[Amount]] = defaultdict(list)
    for kind, order, amount, at in _all_that_came(owned, forfeited or {}):
        units[month_of(at), order.buyer, order.purpose, order.asset, kind].append(amount)
        totals[order.asset].append(amount)
    lines = tuple(
        Earned(
            amount=_sum(amounts),
            asset=asset,
            buyer=buyer,
            grants=len(amounts),
            kind=kind,
            period=period,
            purpose=purpose,
        )
        for (period, buyer, purpose, asset, kind), amounts in sorted(units.items())
    )
    return Statement(
        bonds_unknown=len(ended_licences(owned)) if forfeited is None else 0,
        lines=lines,
        totals={name: _sum(all_) for name, all_ in totals.items()},
    )


def ended_licences(owned: Owned) -> frozenset[str]:
    """The orders whose licence has ended with a bond: the buyer has it back, or the person has."""
    held = {licence.order for licence in owned.licences.values()}
    return frozenset(
        name
        for name, order in owned.orders.items()
        if order.revealed_at is not None and order.deletion_bond.units and name not in held
    )


def look_for_bonds(owned: Owned) -> dict[str, int]:
    """The orders whose deletion bond came to the person, and when: reads the chain's events.

    They are read from the first block on until each ended licence was met, which takes long where
    the chain is long; a node that keeps no old blocks refuses (NodeError).
    """
    left, found = set(ended_licences(owned)), dict[str, int]()
    if not left:
        return found
    for happening in owned.chain.happenings("0.0", type=DELETED):
        events = msgspec.json.decode(happening.receipt).get("events", ())
        for event in events:
            if event["@type"] == DELETED and event["order"] in left:
                left.remove(event["order"])
                if not event.get("attested", False):
                    found[event["order"]] = happening.time
        if not left:
            break
    return found


def month_of(ms: int) -> str:
    """The calendar month (UTC) of a time."""
    return datetime.fromtimestamp(ms / 1_000, UTC).strftime("%Y-%m")


def _all_that_came(owned: Owned, forfeited: Mapping[str, int]) -> Iterator[Came]:
    for name, order in owned.orders.items():
        if order.ended_at is not None and order.phase in SOLD:
            fee = 0 if order.seller == order.owner else order.fee.units
            earned = Amount.of(order.price.units - fee, order.price.decimals)
            yield "grant", order, earned, order.ended_at
        if order.ended_at is not None and _agent_has_paid(owned, order, order.ended_at):
            yield "lapse", order, order.price, order.ended_at
        if name in forfeited:
            yield "bond", order, order.deletion_bond, forfeited[name]


def _agent_has_paid(owned: Owned, order: data.Order, ended_at: int) -> bool:
    """Whether a confirmed order lapsed by the fault of its agent, as `data.lapse` has it.

    An earlier suspension of a buyer that was suspended again is not there any more.
    """
    confirmed_at = order.confirmed_at
    if order.phase != "lapsed" or confirmed_at is None or order.secured is None:
        return False
    if order.frozen_until is not None and order.frozen_until > confirmed_at:
        return False
    buyer = owned.chain.query(data.enterprise, order.buyer)
    if buyer is None:
        return False
    began, restored = buyer.suspended_at, buyer.restored_at
    was_suspended = began is not None and confirmed_at <= began <= ended_at
    was_restored = restored is not None and confirmed_at < restored
    return not was_suspended and not (was_restored and (began or 0) <= ended_at)


def _sum(amounts: list[Amount]) -> str:
    return str(Amount.of(sum(one.units for one in amounts), amounts[0].decimals))
