"""What deadlines go by: a halted network robs nobody, for they grow by the gaps between blocks.

While an order waits for something, the module asks for a block each half threshold. A block that
comes more than a threshold after the last one that the module saw ends a gap. The module sees every
block that is half a threshold or more after the last it saw: so each gap above the threshold is
counted, with at most half a threshold before it.
"""

from msgspec.structs import replace

from tongbao.kernel import Count, Small, Time, Work
from tongbao.modules.data.records import Clock, Order
from tongbao.modules.data.tables import CLOCK, HALT_MS, by_tick, clocks, module


def half_of(ctx: Work) -> int:
    """Milliseconds between the blocks that the module asks for."""
    return max(1, ctx.parameter(HALT_MS) // 2)


def observe(ctx: Work) -> Count:
    """What all gaps until now come to, in ms; a gap that ends with this block is written down."""
    clock = ctx[clocks].get(CLOCK)
    if clock is None:
        return Count(0)
    gap = ctx.time - clock.seen_at
    if not clock.open or gap <= ctx.parameter(HALT_MS):
        return clock.grown
    grown = Count(clock.grown + gap)
    ctx[clocks][CLOCK] = seen(ctx, replace(clock, grown=grown))
    return grown


def seen(ctx: Work, clock: Clock) -> Clock:
    """The clock after it has seen this block."""
    return replace(clock, seen_at=ctx.time, next_at=Time(ctx.time + half_of(ctx)))


def start(ctx: Work) -> Count:
    """One order more has a deadline; what gaps came to until now, in ms."""
    grown = observe(ctx)
    clock = ctx[clocks].get(CLOCK)
    if clock is None or not clock.open:
        fresh = Clock(seen_at=ctx.time, next_at=ctx.time, open=Count(0), grown=grown)
        clock = seen(ctx, fresh)
    ctx[clocks][CLOCK] = replace(clock, open=Count(clock.open + 1))
    return grown


def stop(ctx: Work) -> None:
    """One order less has a deadline."""
    clock = ctx[clocks].get(CLOCK)
    assert clock is not None and clock.open > 0
    ctx[clocks][CLOCK] = replace(clock, open=Count(clock.open - 1))


def deadline_of(ctx: Work, order: Order) -> Time:
    """When an order's phase ends, as far as is known now: messages come before it."""
    return Time(order.deadline + observe(ctx) - order.grown)


@module.due(by_tick)
def tick(ctx: Work, key: Small, clock: Clock) -> None:
    """See a block, so that a network with nothing to say is not taken for a halted one."""
    observe(ctx)
    now = ctx[clocks].get(key)
    assert now is not None
    ctx[clocks][key] = seen(ctx, now)
