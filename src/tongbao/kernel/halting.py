"""Halting modules for a time: their messages are refused and their due work waits; blocks go on.

A halted module stops those above that use it as well, since what they do is done through it; it can
be read. The module that decides on halts declares itself `haltable=False` and goes on. A halt holds
from the next block on, as a parameter does, and ends by itself. Who may halt is not decided here: a
module that has asked whom it must calls these functions.
"""

from __future__ import annotations

from collections.abc import Mapping

from tongbao.kernel.context import Cursor, Page, View, Work
from tongbao.kernel.identifiers import Name, Time
from tongbao.kernel.kernel_module import Halt, halts, module
from tongbao.kernel.module import Index, Module
from tongbao.kernel.reasons import KernelWhy, require
from tongbao.kernel.registry import Registry


def stopped(registry: Registry, rows: Mapping[Name, Time], time: int) -> dict[Module, Time]:
    """The modules that halts stop after the block of a time, each with the end of its latest."""
    found: dict[Module, Time] = {}
    for name, until in rows.items():
        if until > time:
            for each in registry.stopped_with(name):
                found[each] = max(until, found.get(each, until))
    return found


@module.function
def halt(ctx: Work, name: Name, until: Time) -> None:
    """Stop a module and those that use it until a block's time; a halt before it is replaced."""
    require(ctx.can_halt(name), KernelWhy.MODULE_CANNOT_BE_HALTED)

    # From here it succeeds.
    ctx[halts][name] = Halt(until=until)


@module.function
def resume(ctx: Work, name: Name) -> None:
    """End a halt with the next block; the row stays, and says when."""
    found = ctx[halts].one(name, KernelWhy.MODULE_IS_NOT_HALTED)
    require(ctx.time < found.until, KernelWhy.MODULE_IS_NOT_HALTED)

    # From here it succeeds.
    ctx[halts][name] = Halt(until=ctx.time)


@module.function
def last_stop(ctx: Work, name: Name) -> Time:
    """When a module last went on, or will, after a halt of it or of what it uses; 0 for never."""
    found = (ctx[halts].get(Name(below)) for below in ctx.stopped_by(name))
    return max((row.until for row in found if row is not None), default=Time(0))


@module.function
def halts_listed(
    view: View, source: Index[int, Name, Halt], after: Cursor | None
) -> Page[Name, Halt]:
    """The last halt of each module that ever had one, in the order of names, a page at a time."""
    return view.page(source, 0, after)
