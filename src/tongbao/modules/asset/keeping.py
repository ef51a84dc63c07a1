"""How what stands on holdings is written, and how each act on one is told and counted."""

from typing import Any

from msgspec.structs import replace

from tongbao.kernel import Address, AssetId, Context, Count, Work
from tongbao.modules.asset.control_messages import Act, Capacity, Controlled, Kind, Standing, Tally
from tongbao.modules.asset.guards import NOTHING_STANDS
from tongbao.modules.asset.tables import acts, standings, tallies


def put_standing(ctx: Work, owner: Address, asset: AssetId, standing: Standing) -> None:
    """Write what stands on a holding; no row where nothing does."""
    key = owner, asset
    if standing != NOTHING_STANDS:
        ctx[standings][key] = standing
    elif key in ctx[standings]:
        del ctx[standings][key]


def note(
    ctx: Context, kind: str, asset: AssetId, account: Address, capacity: Capacity, **said: Any
) -> None:
    """Keep an act of the sender's, count it, and tell it to whom it hits.

    `said` are further members of `Act`.
    """
    act = Act(
        account=account,
        asset=asset,
        kind=Kind(kind),
        by=ctx.sender,
        capacity=capacity,
        at=ctx.time,
        **said,
    )
    made = ctx[acts].add(act)
    tally = ctx[tallies].get((ctx.sender, capacity)) or Tally()
    counted = {kind: Count(getattr(tally, kind) + 1)}
    ctx[tallies][ctx.sender, capacity] = replace(tally, **counted)
    ctx.emit(
        Controlled(
            act=made,
            asset=asset,
            account=account,
            kind=act.kind,
            by=act.by,
            capacity=capacity,
            reason=act.reason,
            until=act.until,
        )
    )
