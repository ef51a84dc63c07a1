"""What the vault owes: bonds that are posted, and earnings that are pulled."""

from msgspec.structs import replace

from tongbao.kernel import Address, Amount, AssetId, Context, View, Work, require
from tongbao.modules import asset
from tongbao.modules.data.messages import PostBond, Pull, Why, WithdrawBond
from tongbao.modules.data.records import Bond, Earning
from tongbao.modules.data.tables import LEAST_BOND, bonds, earnings, module


def scale_of(ctx: View, name: AssetId, *amounts: Amount) -> int:
    """The decimals of an asset, in which all the amounts must be written."""
    scale = asset.scale_of(ctx, name)
    require(scale is not None, Why.ASSET_NOT_FOUND)
    assert scale is not None
    require(all(amount.decimals == scale for amount in amounts), Why.DECIMALS_DIFFER)
    return scale


def least(ctx: View, price: Amount, part: int) -> Amount:
    """A part of the price, and as many whole units as `data.least_bond` at least.

    Raised to the largest amount that is smaller where an asset's scale leaves no room for those.
    """
    floor = ctx.parameter(LEAST_BOND) * 10**price.decimals
    return Amount.of(max(price.units // part, min(floor, 2**63 - 1)), price.decimals)


@module.handler
def post_bond(ctx: Context, msg: PostBond) -> None:
    """Move value into the vault as the sender's bond."""
    asset.move(ctx, msg.asset, ctx.sender, module.vault, msg.amount)

    # From here it succeeds.
    decimals = msg.amount.decimals
    key = ctx.sender, msg.asset
    nothing = Amount.of(0, decimals)
    bond = ctx[bonds].get(key) or Bond(amount=nothing, reserved=nothing)
    ctx[bonds][key] = replace(bond, amount=Amount.of(bond.amount + msg.amount, decimals))


@module.handler
def withdraw_bond(ctx: Context, msg: WithdrawBond) -> None:
    """Move free value of the sender's bond back."""
    require(msg.amount <= free(ctx, ctx.sender, msg.asset), Why.BOND_IS_TOO_LOW)
    asset.move(ctx, msg.asset, module.vault, ctx.sender, msg.amount)

    # From here it succeeds.
    lower(ctx, ctx.sender, msg.asset, msg.amount)


@module.handler
def pull(ctx: Context, msg: Pull) -> None:
    """Pay out what the sender has earned in one asset."""
    earned = ctx[earnings].one((ctx.sender, msg.asset), Why.NOTHING_IS_EARNED)
    asset.move(ctx, msg.asset, module.vault, ctx.sender, earned.amount)

    # From here it succeeds.
    del ctx[earnings][ctx.sender, msg.asset]


def free(ctx: View, party: Address, name: AssetId) -> int:
    """Units of a party's bond that are not reserved."""
    bond = ctx[bonds].get((party, name))
    return 0 if bond is None else bond.amount - bond.reserved


def reserve(ctx: Work, party: Address, name: AssetId, amount: Amount) -> None:
    """Reserve part of a bond, which must be free."""
    require(amount <= free(ctx, party, name), Why.BOND_IS_TOO_LOW)

    # From here it succeeds.
    if amount:
        bond = bond_of(ctx, party, name)
        reserved = Amount.of(bond.reserved + amount, amount.decimals)
        ctx[bonds][party, name] = replace(bond, reserved=reserved)


def release(ctx: Work, party: Address, name: AssetId, amount: Amount) -> None:
    """Part of a bond is reserved no more."""
    if amount:
        bond = bond_of(ctx, party, name)
        reserved = Amount.of(bond.reserved - amount, amount.decimals)
        ctx[bonds][party, name] = replace(bond, reserved=reserved)


def lower(ctx: Work, party: Address, name: AssetId, amount: Amount) -> None:
    """Part of a bond that is free is the party's no more; no row where nothing is left."""
    bond = bond_of(ctx, party, name)
    left = Amount.of(bond.amount - amount, amount.decimals)
    assert left >= bond.reserved
    if left:
        ctx[bonds][party, name] = replace(bond, amount=left)
    else:
        del ctx[bonds][party, name]


def bond_of(ctx: Work, party: Address, name: AssetId) -> Bond:
    """A bond that there is."""
    bond = ctx[bonds].get((party, name))
    assert bond is not None
    return bond


def earn(ctx: Work, payee: Address, name: AssetId, amount: Amount) -> None:
    """Add to what a payee can pull."""
    if amount:
        earned = ctx[earnings].get((payee, name))
        units = amount.units + (0 if earned is None else earned.amount.units)
        ctx[earnings][payee, name] = Earning(amount=Amount.of(units, amount.decimals))


def give_back(ctx: Work, payee: Address, name: AssetId, units: int, decimals: int) -> None:
    """Return value of the vault to who had set it aside: this cannot refuse."""
    if units:
        asset.give_back(ctx, name, module.vault, payee, Amount.of(units, decimals))
