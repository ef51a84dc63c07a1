"""Scheduling an upgrade: code, new modules and features that begin at a height.

Scheduled upgrades are rows, so they are in the state root and can be proven. Who may schedule one
is not decided here: a module that has asked whom it must calls `schedule` and `cancel`.
"""

from __future__ import annotations

from collections.abc import Iterable

from tongbao.kernel.code import lines_at
from tongbao.kernel.context import Cursor, Page, View, Work
from tongbao.kernel.identifiers import Count
from tongbao.kernel.kernel_module import (
    UPGRADE_NOTICE,
    FeatureStart,
    ModuleLine,
    Upgrade,
    features,
    module,
    upgrades,
)
from tongbao.kernel.module import Index
from tongbao.kernel.reasons import KernelWhy, require


@module.function
def schedule(ctx: Work, height: Count, upgrade: Upgrade) -> None:
    """Let an upgrade begin with the block of a height. Whether it may is for the caller to ask."""
    names = [line.name for line in upgrade.modules]
    numbers = [line.number for line in upgrade.modules]
    require(bool(names or upgrade.features), KernelWhy.UPGRADE_IS_EMPTY)
    require(height >= ctx.height + ctx.parameter(UPGRADE_NOTICE), KernelWhy.UPGRADE_IS_TOO_SOON)
    require(height not in ctx[upgrades], KernelWhy.UPGRADE_IS_SCHEDULED)
    for named in (names, numbers, upgrade.features):
        require(len(set(named)) == len(named), KernelWhy.UPGRADE_NAME_IS_DOUBLED)
    known = ctx.upgrades
    waiting = [line for at in known if at > ctx.height for line in known[at].modules]
    for line in upgrade.modules:
        is_free = all(line.number != one.number and line.name != one.name for one in waiting)
        require(is_free, KernelWhy.MODULE_CHANGE_WAITS)
        require(_continues(line, lines_at(ctx.genesis, known, height)), KernelWhy.MODULE_IS_ANOTHER)
    for name in upgrade.features:
        require(name not in ctx[features], KernelWhy.FEATURE_BEGINS_ONCE)

    # From here it succeeds.
    ctx[upgrades][height] = upgrade
    for name in upgrade.features:
        ctx[features][name] = FeatureStart(height=height)


def _continues(line: ModuleLine, valid: Iterable[ModuleLine]) -> bool:
    """Whether a line is a new module's, or of the same one as before and no earlier version."""
    for before in valid:
        if (before.number == line.number) != (before.name == line.name):
            return False
        if before.number == line.number and before.version > line.version:
            return False
    return True


@module.function
def cancel(ctx: Work, height: Count) -> None:
    """Take an upgrade back that has not begun; its features have never been."""
    upgrade = ctx[upgrades].one(height, KernelWhy.UPGRADE_NOT_FOUND)
    require(height > ctx.height, KernelWhy.UPGRADE_NOT_FOUND)

    # From here it succeeds.
    del ctx[upgrades][height]
    for name in upgrade.features:
        del ctx[features][name]


@module.function
def upgrade_at(view: View, height: Count) -> Upgrade | None:
    """The upgrade that begins with the block of a height."""
    return view[upgrades].get(height)


@module.function
def upgrades_listed(
    view: View, source: Index[int, Count, Upgrade], after: Cursor | None
) -> Page[Count, Upgrade]:
    """Upgrades, past and to come, in the order of their heights, a page at a time."""
    return view.page(source, 0, after)
