"""What a person has earned: by buyer, purpose and month, to the last unit, as the ledger has it."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime

from msgspec import Struct

from tongbao.kernel import Amount
from tongbao.services.my_data.ledger import SOLD, Owned


class Earned(Struct, frozen=True, kw_only=True):
    """What one buyer paid for one purpose in one month, less fees."""

    amount: str
    asset: str
    buyer: str
    grants: int
    period: str
    purpose: str


class Statement(Struct, frozen=True, kw_only=True):
    """All of it, with a total for each asset."""

    lines: tuple[Earned, ...]
    totals: dict[str, str]


def statement(owned: Owned) -> Statement:
    """The statement of whatever orders have come to a paid end.

    The price less its fee counts in the month (UTC) of the end. Bonds of agents that did not reveal
    and of buyers that did not delete are no earnings of a grant, and are pulled with them.
    """
    units: dict[tuple[str, str, str, str], list[Amount]] = defaultdict(list)
    totals: dict[str, list[Amount]] = defaultdict(list)
    for order in owned.orders.values():
        if order.phase not in SOLD or order.ended_at is None:
            continue
        earned = Amount.of(order.price.units - order.fee.units, order.price.decimals)
        units[month_of(order.ended_at), order.buyer, order.purpose, order.asset].append(earned)
        totals[order.asset].append(earned)
    lines = tuple(
        Earned(
            amount=_sum(amounts),
            asset=asset,
            buyer=buyer,
            grants=len(amounts),
            period=period,
            purpose=purpose,
        )
        for (period, buyer, purpose, asset), amounts in sorted(units.items())
    )
    return Statement(lines=lines, totals={name: _sum(all_) for name, all_ in totals.items()})


def month_of(ms: int) -> str:
    """The calendar month (UTC) of a time."""
    return datetime.fromtimestamp(ms / 1_000, UTC).strftime("%Y-%m")


def _sum(amounts: list[Amount]) -> str:
    return str(Amount.of(sum(one.units for one in amounts), amounts[0].decimals))
