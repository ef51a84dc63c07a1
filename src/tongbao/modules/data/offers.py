"""Standing offers: what an owner lets be sold, and who seals for it."""

from msgspec.structs import replace

from tongbao.kernel import Address, Context, Count, Id, Work, require
from tongbao.modules import account
from tongbao.modules.account import Rescued
from tongbao.modules.data.messages import MakeOffer, Seal, Why, WithdrawOffer
from tongbao.modules.data.money import scale_of
from tongbao.modules.data.records import Offer, Order
from tongbao.modules.data.registering import require_each_once, require_fields
from tongbao.modules.data.tables import (
    DAY_MS,
    OFFER_MS,
    OFFERS_LIMIT,
    by_offer_expiry,
    by_offer_owner,
    enterprises,
    module,
    offers,
)


@module.handler
def make_offer(ctx: Context, msg: MakeOffer) -> Id:
    """Keep an offer of the sender's."""
    require_fields(ctx, msg.schema, msg.fields)
    require_each_once(msg.purposes, msg.regions)
    require(ctx.time < msg.expires_at <= ctx.time + ctx.parameter(OFFER_MS), Why.EXPIRY_IS_WRONG)
    scale_of(ctx, msg.asset, msg.price, msg.floor)
    require(0 < msg.floor <= msg.price.units, Why.PRICE_IS_BELOW_FLOOR)
    has_agent = msg.agent is None or account.is_open(ctx, msg.agent)
    require(has_agent, Why.ACCOUNT_NOT_FOUND)
    most = ctx.parameter(OFFERS_LIMIT)
    made = ctx.page(by_offer_owner, ctx.sender, None, limit=most).rows
    require(len(made) < most, Why.TOO_MANY_OFFERS)

    # From here it succeeds.
    return ctx[offers].add(
        Offer(
            owner=ctx.sender,
            schema=msg.schema,
            fields=msg.fields,
            purposes=msg.purposes,
            mode=msg.mode,
            regions=msg.regions,
            retention_ms=msg.retention_ms,
            asset=msg.asset,
            price=msg.price,
            floor=msg.floor,
            daily_cap=msg.daily_cap,
            expires_at=msg.expires_at,
            agent=msg.agent,
        )
    )


@module.handler
def withdraw_offer(ctx: Context, msg: WithdrawOffer) -> None:
    """End an offer; nothing is sealed by it from the next message on."""
    offer = ctx[offers].one(msg.offer, Why.OFFER_NOT_FOUND)
    require(offer.owner == ctx.sender, Why.SENDER_IS_NOT_OWNER)

    # From here it succeeds.
    del ctx[offers][msg.offer]


def use(ctx: Context, msg: Seal, order: Order) -> None:
    """Seal an order by an offer that covers it, and count that in the offer's day."""
    offer = ctx[offers].one(msg.offer, Why.OFFER_NOT_FOUND)
    require(offer.owner == order.owner, Why.OFFER_NOT_FOUND)
    require(ctx.sender in (offer.owner, offer.agent), Why.SENDER_MAY_NOT_SEAL)
    require(ctx.time < offer.expires_at, Why.OFFER_HAS_EXPIRED)
    require(covers(ctx, offer, order), Why.OFFER_DOES_NOT_COVER)
    require(order.price >= offer.floor, Why.PRICE_IS_BELOW_FLOOR)
    require(order.delete_by <= ctx.time + offer.retention_ms, Why.RETENTION_IS_TOO_LONG)
    day = ctx.time // DAY_MS
    used = offer.used if offer.day == day else 0
    require(used < offer.daily_cap, Why.DAILY_CAP_IS_REACHED)
    ctx[offers][msg.offer] = replace(offer, day=Count(day), used=Count(used + 1))


def covers(ctx: Work, offer: Offer, order: Order) -> bool:
    """Whether an offer is about what is asked for, to be used so, there, and paid in that asset."""
    buyer = ctx[enterprises].get(order.buyer)
    assert buyer is not None
    return (
        offer.schema == order.schema
        and set(order.fields) <= set(offer.fields)
        and order.purpose in offer.purposes
        and order.mode == offer.mode
        and buyer.region in offer.regions
        and order.asset == offer.asset
    )


@module.due(by_offer_expiry)
def expire(ctx: Work, name: Id, offer: Offer) -> None:
    """Tidy up an offer that has expired."""
    del ctx[offers][name]


@module.hears(account.rescued)
def end_offers_of_the_rescued(ctx: Work, said: Rescued) -> None:
    """A thief may have made them, so no offer outlives a recovery of its owner."""
    end_all(ctx, said.account)


def end_all(ctx: Work, owner: Address) -> None:
    """End every offer of an owner: they are few."""
    for name, _ in ctx.page(by_offer_owner, owner, None, limit=OFFERS_LIMIT.high).rows:
        del ctx[offers][name]
