"""State, transitions, queries and invariants of holds."""

from collections import Counter

from tongbao.kernel import (
    Address,
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
from tongbao.modules.hold.messages import Capture, Hold, Place, Why

module = Module(7, "hold", uses=(account.module, asset.module), reasons=Why)
holds = module.table(1, key=Id, value=Hold)
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
    """Move the amount out of the vault and close the hold."""
    held = ctx[holds].one(msg.hold, Why.HOLD_NOT_FOUND)
    require(held.expires_at > ctx.time, Why.HOLD_HAS_EXPIRED)
    require(held.payee == ctx.sender, Why.SENDER_IS_NOT_PAYEE)
    asset.move(ctx, held.asset, module.vault, held.payee, held.amount)

    # From here it succeeds.
    del ctx[holds][msg.hold]


@module.due(by_expiry)
def expire(ctx: Work, hold_id: Id, held: Hold) -> None:
    """Return one expired hold to its payer; the kernel bounds how many a block does."""
    asset.give_back(ctx, held.asset, module.vault, held.payer, held.amount)
    del ctx[holds][hold_id]


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
