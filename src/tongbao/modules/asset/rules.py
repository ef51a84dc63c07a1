"""State and transitions of assets: define, issue, redeem, transfer; `move` for other modules."""

from typing import Final

from tongbao.kernel import (
    DECIMALS_LIMIT,
    UNITS_LIMIT,
    Address,
    Amount,
    AssetId,
    Context,
    View,
    Work,
    is_vault,
    require,
)
from tongbao.modules import account
from tongbao.modules.account import Closing
from tongbao.modules.asset.guards import check_way
from tongbao.modules.asset.messages import (
    Define,
    Definition,
    Holding,
    Issue,
    Moved,
    Redeem,
    Settled,
    Supply,
    Transfer,
    Why,
)
from tongbao.modules.asset.tables import (
    by_issuer,
    controls,
    definitions,
    holdings,
    module,
    settled,
    supplies,
)

CLOSING_HOLDINGS: Final = 100


@module.handler
def define(ctx: Context, msg: Define) -> None:
    """Define an asset of the sender."""
    asset = AssetId(f"{msg.code}.{ctx.sender}")
    require(asset not in ctx[definitions], Why.ASSET_IS_DEFINED)
    require(msg.scale <= DECIMALS_LIMIT, Why.SCALE_IS_TOO_LARGE)
    require(msg.cap is None or msg.cap.decimals == msg.scale, Why.DECIMALS_DIFFER)
    require(msg.cap is None or msg.cap > 0, Why.AMOUNT_IS_ZERO)

    # From here it succeeds.
    ctx[definitions][asset] = Definition(
        issuer=ctx.sender, scale=msg.scale, cap=msg.cap, metadata_hash=msg.metadata_hash
    )
    ctx[supplies][asset] = Supply(issued=Amount.of(0, msg.scale))


@module.handler
def issue(ctx: Context, msg: Issue) -> None:
    """Create value for an account, once for each external reference."""
    definition = defined(ctx, msg.asset, msg.amount)
    require(definition.issuer == ctx.sender, Why.SENDER_IS_NOT_ISSUER)
    require((msg.asset, msg.reference) not in ctx[settled], Why.REFERENCE_WAS_USED)
    require(ctx.may_credit(msg.payee), Why.VAULT_IS_CLOSED)
    issued = issued_of(ctx, msg.asset) + msg.amount
    limit = UNITS_LIMIT if definition.cap is None else definition.cap.units
    require(issued <= limit, Why.CAP_IS_EXCEEDED)
    check_payee(ctx, msg.payee)
    check_way(ctx, msg.asset, None, msg.payee, msg.amount.units)

    # From here it succeeds.
    ctx[supplies][msg.asset] = Supply(issued=Amount.of(issued, definition.scale))
    ctx[settled][msg.asset, msg.reference] = Settled(amount=msg.amount, account=msg.payee)
    credit(ctx, msg.asset, msg.payee, msg.amount)
    ctx.emit(Moved(asset=msg.asset, amount=msg.amount, payee=msg.payee))


@module.handler
def redeem(ctx: Context, msg: Redeem) -> None:
    """Retire value that has come back to the issuer, once for each external reference."""
    definition = defined(ctx, msg.asset, msg.amount)
    require(definition.issuer == ctx.sender, Why.SENDER_IS_NOT_ISSUER)
    require((msg.asset, msg.reference) not in ctx[settled], Why.REFERENCE_WAS_USED)
    reserved = check_way(ctx, msg.asset, ctx.sender, None, msg.amount.units)
    debit(ctx, msg.asset, ctx.sender, msg.amount, reserved)

    # From here it succeeds.
    issued = issued_of(ctx, msg.asset) - msg.amount
    ctx[supplies][msg.asset] = Supply(issued=Amount.of(issued, definition.scale))
    ctx[settled][msg.asset, msg.reference] = Settled(
        amount=msg.amount, account=ctx.sender, redeemed=True
    )
    ctx.emit(Moved(asset=msg.asset, amount=msg.amount, payer=ctx.sender))


@module.handler
def transfer(ctx: Context, msg: Transfer) -> None:
    """Pay another account."""
    move(ctx, msg.asset, ctx.sender, msg.payee, msg.amount)


@module.function
def move(ctx: Work, asset: AssetId, payer: Address, payee: Address, amount: Amount) -> None:
    """Move value that the calling module may debit to where it may credit."""
    require(ctx.may_debit(payer), Why.PAYER_HAS_NOT_AGREED)
    require(ctx.may_credit(payee), Why.VAULT_IS_CLOSED)
    require(payer != payee, Why.PAYEE_IS_PAYER)
    defined(ctx, asset, amount)
    check_payee(ctx, payee)
    # `check_way` begins so too: spared where nothing is controlled, as in most payments.
    is_controlled = ctx[controls].get(asset) is not None
    reserved = check_way(ctx, asset, payer, payee, amount.units) if is_controlled else 0
    debit(ctx, asset, payer, amount, reserved)

    # From here it succeeds.
    credit(ctx, asset, payee, amount)
    ctx.emit(Moved(asset=asset, amount=amount, payer=payer, payee=payee))


@module.function
def give_back(ctx: Work, asset: AssetId, payer: Address, payee: Address, amount: Amount) -> None:
    """Return value from the calling module's vault to its owner: this cannot refuse.

    What could refuse was settled when the value came in; anything else is a bug of the caller. An
    owner whose holding is frozen, unauthorised or full receives what is the owner's all the same.
    """
    holding = ctx[holdings].get((payer, asset))
    assert is_vault(payer) and ctx.may_debit(payer) and not is_vault(payee)
    assert amount > 0 and holding is not None and holding.amount >= amount

    # From here it succeeds.
    debit(ctx, asset, payer, amount)
    credit(ctx, asset, payee, amount)
    ctx.emit(Moved(asset=asset, amount=amount, payer=payer, payee=payee))


@module.hears(account.closing)
def hand_over(ctx: Work, said: Closing) -> None:
    """Move all that a closing account holds to its heir; an issuer stays."""
    defined_assets = ctx.page(by_issuer, said.account, None, limit=1)
    require(not defined_assets.rows, Why.ISSUER_CANNOT_CLOSE)
    held = ctx.page(holdings, said.account, None, limit=CLOSING_HOLDINGS)
    require(held.after is None, Why.TOO_MANY_HOLDINGS)
    for (_, asset), holding in held.rows:
        units = holding.amount.units
        reserved = check_way(ctx, asset, said.account, said.heir, units)
        debit(ctx, asset, said.account, holding.amount, reserved)
        credit(ctx, asset, said.heir, holding.amount)
        ctx.emit(Moved(asset=asset, amount=holding.amount, payer=said.account, payee=said.heir))


def defined(ctx: View, asset: AssetId, amount: Amount) -> Definition:
    """The asset's definition, for an amount of at least one unit with its decimals."""
    definition = ctx[definitions].one(asset, Why.ASSET_NOT_FOUND)
    require(amount.decimals == definition.scale, Why.DECIMALS_DIFFER)
    require(amount.units > 0, Why.AMOUNT_IS_ZERO)
    return definition


def check_payee(ctx: View, payee: Address) -> None:
    """Refuse a payee that nobody could ever spend from."""
    require(is_vault(payee) or account.is_open(ctx, payee), Why.PAYEE_NOT_FOUND)


def issued_of(ctx: View, asset: AssetId) -> Amount:
    """How much of a defined asset was issued."""
    supply = ctx[supplies].get(asset)
    assert supply is not None
    return supply.issued


def debit(ctx: Work, asset: AssetId, payer: Address, amount: Amount, reserved: int = 0) -> None:
    """Take from a holding what is not reserved in it; remove the row when nothing is left."""
    holding = ctx[holdings].one((payer, asset), Why.BALANCE_IS_TOO_LOW)
    left = holding.amount.units - amount.units
    require(left >= 0, Why.BALANCE_IS_TOO_LOW)
    require(left >= reserved, Why.VALUE_IS_RESERVED)

    # From here it succeeds.
    if left == 0:
        del ctx[holdings][payer, asset]
    else:
        ctx[holdings][payer, asset] = Holding(amount=Amount.of(left, amount.decimals))


def credit(ctx: Work, asset: AssetId, payee: Address, amount: Amount) -> None:
    """Add to a holding. It can't overflow: no more exists than the asset's supply."""
    holding = ctx[holdings].get((payee, asset))
    units = amount.units + (0 if holding is None else holding.amount.units)
    ctx[holdings][payee, asset] = Holding(amount=Amount.of(units, amount.decimals))
