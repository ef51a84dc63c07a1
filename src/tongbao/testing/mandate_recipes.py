"""How random mandates come to make sense."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tongbao.kernel import Address, Amount, Id, Message
from tongbao.modules import mandate
from tongbao.modules.mandate import Mandate
from tongbao.modules.mandate.messages import PeriodMs
from tongbao.testing.world import UNKNOWN_ASSET, UNKNOWN_ID, World

MANDATES: Final = "mandate.mandates"
PERIODS_MS: Final = (1, 1_000, 60_000, 86_400_000)


def grant(world: World, sender: Address) -> Message | None:
    """A part of what the sender holds, half of them by period."""
    held = world.holdings.get(sender)
    if not held:
        return None
    found, amount = world.one(held)
    units = max(1, amount.units // world.number(1, 9))
    each, period = None, 0
    if world.chance(0.5):
        each = world.amount(max(1, units // world.number(1, 5)), amount.decimals)
        period = 0 if world.odd() else world.one(PERIODS_MS)
    if each is not None and world.odd():
        each = Amount.of(units + 1, amount.decimals)
    return mandate.Grant(
        holder=world.other_than(sender),
        asset=UNKNOWN_ASSET if world.odd() else found,
        total=world.amount(units, amount.decimals),
        expires_at=world.soon(),
        each_period=each,
        period_ms=PeriodMs(period),
    )


def party(role: str) -> Callable[[World], Address | None]:
    """Who chooses a sender: the `owner` or the `holder` of some mandate; at odd times anybody."""

    def choose(world: World) -> Address | None:
        if world.odd():
            return world.somebody()
        known = [getattr(row, role) for row in world.rows[MANDATES].values()]
        return world.one(known) if known else None

    return choose


def one_of(world: World, role: str, sender: Address) -> Id | None:
    """A mandate in which the sender has this role; at odd times any, or none that is known."""
    known: dict[Id, Any] = world.rows[MANDATES]
    if world.odd():
        return world.one([UNKNOWN_ID, *known])
    fit = [name for name, row in known.items() if getattr(row, role) == sender]
    return world.one(fit) if fit else None


def revoke(world: World, sender: Address) -> Message | None:
    """A mandate is taken back."""
    name = one_of(world, "owner", sender)
    return None if name is None else mandate.Revoke(mandate=name)


def collect(world: World, sender: Address) -> Message | None:
    """A payment within a mandate; now and then all that is left, at odd times more."""
    name = one_of(world, "holder", sender)
    if name is None:
        return None
    row: Mandate | None = world.rows[MANDATES].get(name)
    total = Amount("1.00") if row is None else row.total
    left = total.units if row is None else row.total - row.spent
    most = left if row is None or row.each_period is None else min(left, row.each_period.units)
    units = most if world.chance(0.3) else max(1, most // world.number(1, 9))
    if world.odd():
        units = world.one([left + 1, most + 1])
    payee = sender if world.chance(0.5) else world.other_than(sender)
    return mandate.Collect(
        mandate=name,
        amount=world.amount(units, total.decimals),
        reference=world.reference(UNKNOWN_ASSET) if world.chance(0.5) else None,
        payee=mandate.module.vault if world.odd() else payee,
    )
