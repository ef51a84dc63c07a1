"""Whether value may leave a holding or arrive in it, where an asset is under control.

An asset without a row of controls is not: a plain payment of it reads that there is none, and no
more.
"""

from tongbao.kernel import Address, AssetId, View, is_vault, require
from tongbao.modules.asset.control_messages import (
    AUTHORISATION,
    CREDITS,
    DEBITS,
    LIMITS,
    Controls,
    Frozen,
    Scope,
    Standing,
)
from tongbao.modules.asset.messages import Why
from tongbao.modules.asset.tables import controls, holdings, module, standings

NOTHING_STANDS = Standing()


def is_issuer(asset: AssetId, owner: Address) -> bool:
    """Whether an address is the asset's issuer, which its id ends with."""
    return asset.endswith(owner)


def check_way(
    ctx: View, asset: AssetId, payer: Address | None, payee: Address | None, units: int
) -> int:
    """Refuse a movement of a controlled asset that may not be; the units the payer has reserved.

    Without a payer value is issued, without a payee it ends.
    """
    rules = ctx[controls].get(asset)
    if rules is None:
        return 0
    reserved = 0 if payer is None else check_leaves(ctx, rules, asset, payer)
    if payee is not None:
        check_arrives(ctx, rules, asset, payee, units)
    return reserved


def check_leaves(ctx: View, rules: Controls, asset: AssetId, owner: Address) -> int:
    """Refuse value that may not leave a holding; the units that are reserved in it."""
    if is_vault(owner):
        return 0
    standing = ctx[standings].get((owner, asset)) or NOTHING_STANDS
    may_hold = may_be_held(rules, standing, asset, owner)
    require(may_hold, Why.PAYER_IS_NOT_AUTHORISED)
    require(not is_frozen(ctx, standing, CREDITS), Why.PAYER_IS_FROZEN)
    return reserved_in(standing)


def check_arrives(ctx: View, rules: Controls, asset: AssetId, owner: Address, units: int) -> None:
    """Refuse value that may not arrive in a holding, or would fill it beyond its limit."""
    if is_vault(owner):
        return
    standing = ctx[standings].get((owner, asset)) or NOTHING_STANDS
    may_hold = may_be_held(rules, standing, asset, owner)
    require(may_hold, Why.PAYEE_IS_NOT_AUTHORISED)
    require(not is_frozen(ctx, standing, DEBITS), Why.PAYEE_IS_FROZEN)
    limit = rules.limit if standing.limit is None else standing.limit
    if limit is None or LIMITS not in rules.flags or is_issuer(asset, owner):
        return
    holding = ctx[holdings].get((owner, asset))
    held = 0 if holding is None else holding.amount.units
    require(held + units <= limit.units, Why.LIMIT_IS_EXCEEDED)


def may_be_held(rules: Controls, standing: Standing, asset: AssetId, owner: Address) -> bool:
    """Whether an account may hold the asset: its issuer always may."""
    return standing.authorised or AUTHORISATION not in rules.flags or is_issuer(asset, owner)


def is_frozen(ctx: View, standing: Standing, other: Scope) -> bool:
    """Whether a freeze that goes on stops more than the `other` direction."""
    return _stops(ctx, standing.frozen_by_issuer, other) or _stops(
        ctx, standing.frozen_by_supervisor, other
    )


def _stops(ctx: View, frozen: Frozen | None, other: Scope) -> bool:
    return frozen is not None and ctx.time < frozen.until and frozen.scope != other


def reserved_in(standing: Standing) -> int:
    """The units of a holding that modules have reserved."""
    return sum(share.amount.units for share in standing.reserved)


@module.function
def require_movable(ctx: View, asset: AssetId, owner: Address) -> None:
    """Refuse where the owner's holding may not be debited now.

    For modules that keep value for an owner in a vault and are about to pay it to somebody else:
    what a freeze or a missing authorisation keeps in the holding it keeps there too.
    """
    rules = ctx[controls].get(asset)
    if rules is not None:
        check_leaves(ctx, rules, asset, owner)
