"""Value that a module reserves inside its owner's holding: it stays there and can't be spent.

`reserve`, `release` and `settle` are for other modules. Each names itself by its vault, so that no
module settles or releases what another has reserved.
"""

from msgspec.structs import replace

from tongbao.kernel import Address, Amount, AssetId, Work, is_vault, require
from tongbao.modules.asset.control_messages import SHARES_LIMIT, Controls, Share
from tongbao.modules.asset.guards import NOTHING_STANDS, check_way
from tongbao.modules.asset.keeping import put_standing
from tongbao.modules.asset.messages import Moved, Why
from tongbao.modules.asset.rules import check_payee, credit, debit, defined
from tongbao.modules.asset.tables import controls, holdings, module, standings


@module.function
def reserve(ctx: Work, asset: AssetId, owner: Address, by: Address, amount: Amount) -> None:
    """Reserve value in the holding of an owner whom the calling module may debit."""
    assert is_vault(by) and ctx.may_debit(by), "a module reserves under its own vault"
    require(not is_vault(owner) and ctx.may_debit(owner), Why.PAYER_HAS_NOT_AGREED)
    defined(ctx, asset, amount)
    holding = ctx[holdings].one((owner, asset), Why.BALANCE_IS_TOO_LOW)
    require(holding.amount >= amount, Why.BALANCE_IS_TOO_LOW)
    reserved = check_way(ctx, asset, owner, None, amount.units)
    require(holding.amount >= amount + reserved, Why.VALUE_IS_RESERVED)

    # From here it succeeds.
    _change(ctx, asset, owner, by, amount, amount.units)


@module.function
def release(ctx: Work, asset: AssetId, owner: Address, by: Address, amount: Amount) -> None:
    """Let the owner spend again what the calling module had reserved: this cannot refuse."""
    assert is_vault(by) and ctx.may_debit(by), "a module releases what it has reserved itself"
    _change(ctx, asset, owner, by, amount, -amount.units)


@module.function
def settle(
    ctx: Work, asset: AssetId, owner: Address, by: Address, payee: Address, amount: Amount
) -> None:
    """Pay out of what the calling module has reserved. A freeze of either holding refuses it."""
    assert is_vault(by) and ctx.may_debit(by), "a module settles what it has reserved itself"
    require(ctx.may_credit(payee), Why.VAULT_IS_CLOSED)
    require(owner != payee, Why.PAYEE_IS_PAYER)
    check_payee(ctx, payee)
    check_way(ctx, asset, owner, payee, amount.units)
    _change(ctx, asset, owner, by, amount, -amount.units)
    debit(ctx, asset, owner, amount)

    # From here it succeeds.
    credit(ctx, asset, payee, amount)
    ctx.emit(Moved(asset=asset, amount=amount, payer=owner, payee=payee))


def _change(
    ctx: Work, asset: AssetId, owner: Address, by: Address, amount: Amount, units: int
) -> None:
    """Add units to what a module has reserved in a holding, and to all that is reserved."""
    standing = ctx[standings].get((owner, asset)) or NOTHING_STANDS
    shares = {share.by: share.amount.units for share in standing.reserved}
    left = shares.pop(by, 0) + units
    assert left >= 0, "a module gives up no more than it has reserved"
    if left:
        shares[by] = left
    assert len(shares) <= SHARES_LIMIT, "so many modules reserve in no holding"
    reserved = tuple(
        Share(by=name, amount=Amount.of(shares[name], amount.decimals)) for name in sorted(shares)
    )
    put_standing(ctx, owner, asset, replace(standing, reserved=reserved))
    rules = ctx[controls].get(asset) or Controls()
    total = (0 if rules.reserved is None else rules.reserved.units) + units
    all_reserved = Amount.of(total, amount.decimals) if total else None
    ctx[controls][asset] = replace(rules, reserved=all_reserved)
