"""State, transitions, queries and invariants of holds."""

from collections import Counter

from msgspec.structs import replace

from tongbao.kernel import (
    Address,
    Amount,
    AssetId,
    Audit,
    Context,
    Cursor,
    Id,
    Module,
    Page,
    View,
    Work,
    require,
)
from tongbao.modules import account, asset
from tongbao.modules.account import Closing
from tongbao.modules.hold.messages import (
    Capture,
    Extend,
    Hold,
    Place,
    Recall,
    Release,
    Why,
)

module = Module(7, "hold", uses=(account.module, asset.module), reasons=Why)
holds = module.table(1, key=Id, value=Hold, owner=lambda name, held: held.payer)
by_expiry = module.index(2, of=holds, by=lambda held: held.expires_at)
by_payee = module.index(3, of=holds, by=lambda held: held.payee)
by_payer = module.index(4, of=holds, by=lambda held: held.payer)


@module.handler
def place(ctx: Context, msg: Place) -> Id:
    """Move the amount into the vault and open the hold."""
    require(msg.amount > 0, Why.AMOUNT_IS_ZERO)
    require(msg.expires_at > ctx.time, Why.EXPIRY_HAS_PASSED)
    require(account.is_open(ctx, msg.payee), Why.PAYEE_NOT_FOUND)
    require(not account.needs_reference(ctx, msg.payee), Why.PAYEE_NEEDS_REFERENCE)
    asset.move(ctx, msg.asset, ctx.sender, module.vault, msg.amount)

    # From here it succeeds.
    return ctx[holds].add(
        Hold(
            payer=ctx.sender,
            payee=msg.payee,
            asset=msg.asset,
            amount=msg.amount,
            expires_at=msg.expires_at,
        )
    )


@module.handler
def capture(ctx: Context, msg: Capture) -> None:
    """Move all or part of the value out of the vault. What is on hold is its payer's still."""
    held = ctx[holds].one(msg.hold, Why.HOLD_NOT_FOUND)
    require(held.expires_at > ctx.time, Why.HOLD_HAS_EXPIRED)
    require(held.payee == ctx.sender, Why.SENDER_IS_NOT_PAYEE)
    amount = held.amount if msg.amount is None else msg.amount
    require(amount <= held.amount, Why.AMOUNT_IS_ABOVE_HOLD)
    asset.require_movable(ctx, held.asset, held.payer)
    asset.move(ctx, held.asset, module.vault, held.payee, amount)

    # From here it succeeds.
    left = held.amount - amount
    if left:
        ctx[holds][msg.hold] = replace(held, amount=Amount.of(left, amount.decimals))
    else:
        del ctx[holds][msg.hold]


@module.handler
def release(ctx: Context, msg: Release) -> None:
    """Return a hold that its payee does not want. No freeze stops what goes back to its owner."""
    held = ctx[holds].one(msg.hold, Why.HOLD_NOT_FOUND)
    require(held.payee == ctx.sender, Why.SENDER_IS_NOT_PAYEE)

    # From here it succeeds.
    return_value(ctx, msg.hold, held)


@module.handler
def extend(ctx: Context, msg: Extend) -> None:
    """Move the expiry of a hold; who may not pay now does not keep value away for longer either."""
    held = ctx[holds].one(msg.hold, Why.HOLD_NOT_FOUND)
    require(held.expires_at > ctx.time, Why.HOLD_HAS_EXPIRED)
    require(held.payer == ctx.sender, Why.SENDER_IS_NOT_PAYER)
    require(msg.expires_at > held.expires_at, Why.EXTENSION_IS_EARLIER)
    asset.require_movable(ctx, held.asset, held.payer)

    # From here it succeeds.
    ctx[holds][msg.hold] = replace(held, expires_at=msg.expires_at)


@module.handler
def recall(ctx: Context, msg: Recall) -> None:
    """Return a hold because the issuer says so, on a ground that the payer is told."""
    held = ctx[holds].one(msg.hold, Why.HOLD_NOT_FOUND)
    asset.recall(ctx, held.asset, held.payer, held.amount, msg.reason, msg.basis_hash)

    # From here it succeeds.
    return_value(ctx, msg.hold, held)


def return_value(ctx: Work, hold_id: Id, held: Hold) -> None:
    """Give a hold's value back to its payer, and close it."""
    asset.give_back(ctx, held.asset, module.vault, held.payer, held.amount)
    del ctx[holds][hold_id]


@module.due(by_expiry)
def expire(ctx: Work, hold_id: Id, held: Hold) -> None:
    """Return one expired hold to its payer; the kernel bounds how many a block does."""
    return_value(ctx, hold_id, held)


@module.hears(account.closing)
def keep_payers_open(ctx: Work, said: Closing) -> None:
    """A hold returns to its payer, so its payer stays; holds *for* an account simply expire."""
    placed = ctx.page(by_payer, said.account, None, limit=1)
    require(not placed.rows, Why.PAYER_CANNOT_CLOSE)


@module.query
def show(view: View, hold: Id) -> Hold | None:
    """One open hold."""
    return view[holds].get(hold)


@module.query
def held_for(view: View, payee: Address, after: Cursor | None = None) -> Page[Id, Hold]:
    """Open holds one payee can capture, a page at a time."""
    return view.page(by_payee, payee, after)


@module.query
def placed_by(view: View, payer: Address, after: Cursor | None = None) -> Page[Id, Hold]:
    """Open holds one payer has placed, a page at a time."""
    return view.page(by_payer, payer, after)


@module.invariant
def vault_owns_exactly_the_open_holds(view: Audit) -> bool:
    """The vault owns, per asset, the sum of the open holds and nothing else."""
    owed = Counter[AssetId]()
    for held in view[holds].values():
        owed[held.asset] += held.amount
    return owed == asset.balances_of(view, module.vault)
