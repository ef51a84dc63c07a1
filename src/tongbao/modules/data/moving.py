"""How an order comes to a phase and to its end, and who gets what then."""

from typing import Any

from msgspec.structs import replace

from tongbao.kernel import Address, Amount, Count, Id, Time, Work, require
from tongbao.modules.data.clock import deadline_of, observe, stop
from tongbao.modules.data.messages import Why
from tongbao.modules.data.money import earn, give_back, lower, release
from tongbao.modules.data.parties import leave
from tongbao.modules.data.records import Order, Reached
from tongbao.modules.data.registering import was_suspended
from tongbao.modules.data.tables import (
    CANCELLED,
    CLAIMED,
    CONFIRMED,
    LAPSED,
    REVEALED,
    SEALED,
    SETTLED,
    UNDER_WAY,
    WITHDRAWN,
    by_deadline,
    module,
    orders,
)
from tongbao.modules.data.types import Phase


def in_time(ctx: Work, name: Id, *phases: Phase) -> Order:
    """An order in one of the phases, before its deadline."""
    order = ctx[orders].one(name, Why.ORDER_NOT_FOUND)
    require(order.phase in phases, Why.ORDER_IS_ELSEWHERE)
    require(ctx.time < deadline_of(ctx, order), Why.DEADLINE_HAS_PASSED)
    return order


def put(ctx: Work, name: Id, order: Order, phase: Phase, lasts_ms: int, **said: Any) -> None:
    """Write an order that has come to another phase, which lasts so long, and tell it."""
    ctx[orders][name] = replace(
        order,
        phase=phase,
        deadline=Time(ctx.time + lasts_ms),
        grown=observe(ctx),
        **said,
    )
    ctx.emit(Reached(order=name, phase=phase))


def finish(
    ctx: Work, name: Id, order: Order, phase: Phase, *, lapsed_by: Address | None = None
) -> None:
    """End an order: nothing is reserved for it, and its parties may have others."""
    if not order.late:
        stop(ctx)
    leave(ctx, order.buyer, lapsed=lapsed_by == order.buyer)
    if order.seller is not None:
        leave(ctx, order.seller, lapsed=lapsed_by == order.seller)
        if order.secured is not None:
            release(ctx, order.seller, order.asset, order.secured)
    ctx[orders][name] = replace(order, phase=phase, ended_at=ctx.time)
    ctx.emit(Reached(order=name, phase=phase))


def pay_all_back(ctx: Work, order: Order) -> None:
    """Return price and deletion bond to the buyer."""
    units = order.price + order.deletion_bond
    give_back(ctx, order.buyer, order.asset, units, order.price.decimals)


def settle(ctx: Work, name: Id, order: Order, phase: Phase = SETTLED) -> None:
    """The owner has earned the price less the fee, and who sealed the fee."""
    assert order.seller is not None
    decimals = order.price.decimals
    earn(ctx, order.owner, order.asset, Amount.of(order.price - order.fee, decimals))
    earn(ctx, order.seller, order.asset, order.fee)
    finish(ctx, name, order, phase)


def call_off(ctx: Work, name: Id, order: Order, phase: Phase) -> None:
    """End an order before its reveal: everything is back, and nobody is at fault."""
    assert phase in (CANCELLED, WITHDRAWN)
    pay_all_back(ctx, order)
    finish(ctx, name, order, phase)


@module.due(by_deadline)
def fall_due(ctx: Work, name: Id, order: Order) -> None:
    """A phase has ended, unless its deadline has grown: then it is due again at the new one."""
    ends = deadline_of(ctx, order)
    if ends > ctx.time:
        ctx[orders][name] = replace(order, deadline=ends, grown=observe(ctx))
    elif order.phase == REVEALED:
        settle(ctx, name, order)
    elif order.phase == CLAIMED:
        stop(ctx)
        ctx[orders][name] = replace(order, late=True)
    else:
        lapse(ctx, name, order)


def lapse(ctx: Work, name: Id, order: Order) -> None:
    """Everything goes back; who let a sealed or confirmed order lapse is at fault.

    An agent that did not reveal pays the owner the price, but not where it could not: the buyer was
    suspended, or the order frozen, since the confirmation.
    """
    assert order.phase in UNDER_WAY
    pay_all_back(ctx, order)
    fault = None
    if order.phase == SEALED:
        fault = order.buyer
    elif order.phase == CONFIRMED and not is_excused(ctx, order):
        fault = order.seller
    finish(ctx, name, order, LAPSED, lapsed_by=fault)
    if fault == order.seller and order.phase == CONFIRMED and order.secured is not None:
        assert fault is not None
        lower(ctx, fault, order.asset, order.price)
        earn(ctx, order.owner, order.asset, order.price)


def is_excused(ctx: Work, order: Order) -> bool:
    """Whether a confirmed order could not be revealed for a while: a freeze before is none."""
    assert order.confirmed_at is not None
    suspended = was_suspended(ctx, order.buyer, order.confirmed_at)
    frozen = order.frozen_until is not None and order.frozen_until > order.confirmed_at
    return suspended or frozen


def transfer_of(chunks: int, transfer_ms: int) -> Count:
    """Milliseconds that a buyer has more to fetch a package, for each 64 MiB begun."""
    return Count(-(-chunks // 1_024) * transfer_ms)
