"""State, transitions, queries and invariants of mandates."""

from typing import Final

from msgspec.structs import replace

from tongbao.kernel import (
    Address,
    Amount,
    Audit,
    Context,
    Cursor,
    Id,
    Module,
    Page,
    Time,
    View,
    Work,
    is_vault,
    require,
)
from tongbao.modules import account, asset
from tongbao.modules.account import Closing, Rescued
from tongbao.modules.mandate.messages import Collect, Grant, Mandate, Revoke, Why

MOST_MANDATES: Final = 100

module = Module(8, "mandate", uses=(account.module, asset.module), reasons=Why, keeps_mandates=True)

MANDATES_LIMIT = module.parameter(
    "mandates_limit",
    default=MOST_MANDATES,
    low=1,
    high=MOST_MANDATES,
    meaning="mandates that one owner has granted and that have not ended",
)

mandates = module.table(1, key=Id, value=Mandate, owner=lambda name, mandate: mandate.owner)
by_expiry = module.index(2, of=mandates, by=lambda mandate: mandate.expires_at)
by_owner = module.index(3, of=mandates, by=lambda mandate: mandate.owner)
by_holder = module.index(4, of=mandates, by=lambda mandate: mandate.holder)


@module.handler
def grant(ctx: Context, msg: Grant) -> Id:
    """Write the mandate down; nothing moves and nothing is set aside."""
    scale = asset.scale_of(ctx, msg.asset)
    require(scale is not None, Why.ASSET_NOT_FOUND)
    each = msg.total if msg.each_period is None else msg.each_period
    require(msg.total.decimals == each.decimals == scale, Why.DECIMALS_DIFFER)
    require(msg.total > 0 and each > 0, Why.AMOUNT_IS_ZERO)
    has_period = msg.each_period is not None
    require(has_period == (msg.period_ms > 0) and each <= msg.total, Why.PERIOD_IS_WRONG)
    require(msg.expires_at > ctx.time, Why.EXPIRY_HAS_PASSED)
    is_another = msg.holder != ctx.sender and account.is_open(ctx, msg.holder)
    require(is_another, Why.HOLDER_NOT_FOUND)
    most = ctx.parameter(MANDATES_LIMIT)
    granted = ctx.page(by_owner, ctx.sender, None, limit=most).rows
    require(len(granted) < most, Why.TOO_MANY_MANDATES)

    # From here it succeeds.
    nothing = Amount.of(0, msg.total.decimals)
    return ctx[mandates].add(
        Mandate(
            owner=ctx.sender,
            holder=msg.holder,
            asset=msg.asset,
            total=msg.total,
            spent=nothing,
            expires_at=msg.expires_at,
            period_began=ctx.time,
            spent_in_period=nothing,
            each_period=msg.each_period,
            period_ms=msg.period_ms,
        )
    )


@module.handler
def revoke(ctx: Context, msg: Revoke) -> None:
    """End a mandate."""
    mandate = ctx[mandates].one(msg.mandate, Why.MANDATE_NOT_FOUND)
    require(mandate.owner == ctx.sender, Why.SENDER_IS_NOT_OWNER)

    # From here it succeeds.
    del ctx[mandates][msg.mandate]


@module.handler
def collect(ctx: Context, msg: Collect) -> None:
    """Pay out of the owner's holding; a mandate that is spent is gone."""
    mandate = ctx[mandates].one(msg.mandate, Why.MANDATE_NOT_FOUND)
    require(mandate.holder == ctx.sender, Why.SENDER_IS_NOT_HOLDER)
    require(mandate.expires_at > ctx.time, Why.MANDATE_HAS_EXPIRED)
    require(msg.amount.decimals == mandate.total.decimals, Why.DECIMALS_DIFFER)
    spent = mandate.spent + msg.amount
    require(spent <= mandate.total.units, Why.TOTAL_IS_EXCEEDED)
    began, in_period = period_of(mandate, ctx.time)
    in_period += msg.amount.units
    within = mandate.each_period is None or in_period <= mandate.each_period.units
    require(within, Why.PERIOD_IS_EXCEEDED)
    # This module may credit its own vault, from which nobody could ever pay.
    require(not is_vault(msg.payee), Why.PAYEE_IS_VAULT)
    has_all = msg.reference is not None or not account.needs_reference(ctx, msg.payee)
    require(has_all, Why.REFERENCE_IS_MISSING)
    asset.move(ctx, mandate.asset, mandate.owner, msg.payee, msg.amount)

    # From here it succeeds.
    if spent == mandate.total.units:
        del ctx[mandates][msg.mandate]
        return
    decimals = mandate.total.decimals
    ctx[mandates][msg.mandate] = replace(
        mandate,
        spent=Amount.of(spent, decimals),
        period_began=began,
        spent_in_period=Amount.of(in_period, decimals),
    )


def period_of(mandate: Mandate, time: Time) -> tuple[Time, int]:
    """When the period of a time began, and how many units were paid in it until then.

    Periods follow each other without a gap from the grant on.
    """
    if mandate.each_period is None:
        return mandate.period_began, mandate.spent_in_period.units
    gone = (time - mandate.period_began) // mandate.period_ms
    if gone == 0:
        return mandate.period_began, mandate.spent_in_period.units
    return Time(mandate.period_began + gone * mandate.period_ms), 0


@module.due(by_expiry)
def expire(ctx: Work, mandate_id: Id, mandate: Mandate) -> None:
    """Tidy up a mandate that has expired."""
    del ctx[mandates][mandate_id]


@module.hears(account.rescued)
def end_all_of_the_rescued(ctx: Work, said: Rescued) -> None:
    """A thief may have granted them, so no mandate outlives a recovery of its owner."""
    end_all(ctx, said.account)


@module.hears(account.closing)
def end_all_of_the_closed(ctx: Work, said: Closing) -> None:
    """Who has closed owns nothing any more; mandates that it *holds* simply expire."""
    end_all(ctx, said.account)


def end_all(ctx: Work, owner: Address) -> None:
    """End every mandate of an owner: they are few."""
    for mandate_id, _ in ctx.page(by_owner, owner, None, limit=MOST_MANDATES).rows:
        del ctx[mandates][mandate_id]


@module.query
def show(view: View, mandate: Id) -> Mandate | None:
    """One mandate that has not ended."""
    return view[mandates].get(mandate)


@module.query
def granted_by(view: View, owner: Address, after: Cursor | None = None) -> Page[Id, Mandate]:
    """Who may pay out of an account, how much and until when, a page at a time."""
    return view.page(by_owner, owner, after)


@module.query
def granted_to(view: View, holder: Address, after: Cursor | None = None) -> Page[Id, Mandate]:
    """The mandates that an account holds, a page at a time."""
    return view.page(by_holder, holder, after)


@module.invariant
def nobody_spends_beyond_a_mandate(view: Audit) -> bool:
    """What was paid is less than the total, and within what each period allows."""
    return all(
        mandate.spent_in_period <= mandate.spent < mandate.total
        and (mandate.each_period is None or mandate.spent_in_period <= mandate.each_period)
        for mandate in view[mandates].values()
    )
