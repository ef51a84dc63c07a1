"""Claims: a buyer says that a package is faulty, a panel says whether it is."""

from msgspec.structs import replace

from tongbao.kernel import Address, Amount, Context, Id, View, Work, require
from tongbao.modules import asset, member
from tongbao.modules.data.clock import deadline_of
from tongbao.modules.data.hashing import data_hash
from tongbao.modules.data.messages import Claim, Vote, Why
from tongbao.modules.data.money import earn, give_back, least, lower
from tongbao.modules.data.moving import finish, in_time, put, settle
from tongbao.modules.data.records import Order
from tongbao.modules.data.registering import has_role
from tongbao.modules.data.tables import (
    ADJUDICATORS_LIMIT,
    CLAIMED,
    REJECTED,
    REVEALED,
    UPHELD,
    VERDICT_MS,
    by_serving,
    module,
    orders,
)
from tongbao.modules.data.types import Panel, Phase, Verdict

SEATS = 3
MAJORITY = 2
DEPOSIT_PART = 10


@module.handler
def claim(ctx: Context, msg: Claim) -> None:
    """Take the deposit and call a panel."""
    order = in_time(ctx, msg.order, REVEALED)
    require(order.buyer == ctx.sender, Why.SENDER_IS_NOT_BUYER)
    panel = panel_of(ctx, msg.order, order)
    require(len(panel) == SEATS, Why.PANEL_IS_TOO_SMALL)
    deposit = least(ctx, order.price, DEPOSIT_PART)
    if deposit:
        asset.move(ctx, order.asset, ctx.sender, module.vault, deposit)

    # From here it succeeds.
    said = {"evidence_hash": msg.evidence_hash, "deposit": deposit, "panel": panel}
    votes: tuple[Verdict | None, ...] = (None,) * SEATS
    put(ctx, msg.order, order, CLAIMED, ctx.parameter(VERDICT_MS), votes=votes, **said)


def panel_of(ctx: Context, name: Id, order: Order) -> Panel:
    """The three whom the hash of b and the buyer's nonce puts first: nobody could choose them."""
    assert order.b is not None and order.nonce is not None
    parts = bytes.fromhex(name), bytes.fromhex(order.b), bytes.fromhex(order.nonce)
    listed = ctx.page(by_serving, 0, None, limit=ADJUDICATORS_LIMIT.high).rows
    drawn = sorted(
        (data_hash("panel", *parts, bytes.fromhex(address)), address)
        for address, _ in listed
        if can_serve(ctx, address, order)
    )
    return tuple(address for _, address in drawn[:SEATS])


def can_serve(ctx: View, address: Address, order: Order) -> bool:
    """Whether an adjudicator still is one, and neither a party nor of a party's member."""
    assert order.seller is not None
    parties = order.buyer, order.owner, order.seller
    if address in parties or not has_role(ctx, address, member.ADJUDICATOR):
        return False
    return member.member_of(ctx, address) not in {member.member_of(ctx, one) for one in parties}


@module.handler
def vote(ctx: Context, msg: Vote) -> None:
    """Count a verdict; two that agree decide, after the deadline one supervisor's does."""
    order = ctx[orders].one(msg.order, Why.ORDER_NOT_FOUND)
    require(order.phase == CLAIMED, Why.ORDER_IS_ELSEWHERE)
    if order.late or ctx.time >= deadline_of(ctx, order):
        supervises = has_role(ctx, ctx.sender, member.SUPERVISOR)
        require(supervises, Why.SENDER_IS_NOT_ON_PANEL)
        decide(ctx, msg.order, order, msg.verdict)
        return
    require(ctx.sender in order.panel, Why.SENDER_IS_NOT_ON_PANEL)
    seat = order.panel.index(ctx.sender)
    require(order.votes[seat] is None, Why.SENDER_HAS_VOTED)

    # From here it succeeds.
    votes = (*order.votes[:seat], msg.verdict, *order.votes[seat + 1 :])
    counted = replace(order, votes=votes)
    if votes.count(msg.verdict) >= MAJORITY:
        decide(ctx, msg.order, counted, msg.verdict)
    else:
        ctx[orders][msg.order] = counted


def decide(ctx: Work, name: Id, order: Order, verdict: Verdict) -> None:
    """Pay whom the verdict favours, and the panel by whom it does not."""
    assert order.deposit is not None and order.seller is not None
    if Phase(verdict) == REJECTED:
        share(ctx, order, order.deposit, order.owner)
        settle(ctx, name, order, REJECTED)
        return
    units = order.price + order.deposit
    give_back(ctx, order.buyer, order.asset, units, order.price.decimals)
    finish(ctx, name, order, UPHELD)
    if order.secured:
        lower(ctx, order.seller, order.asset, order.secured)
        share(ctx, order, order.secured, order.buyer)


def share(ctx: Work, order: Order, amount: Amount, otherwise: Address) -> None:
    """Divide an amount between those of the panel who voted, the rest to the first of them.

    Where nobody did, it is for the party that was harmed.
    """
    pairs = zip(order.panel, order.votes, strict=True)
    voters = [address for address, vote in pairs if vote is not None] or [otherwise]
    each, rest = divmod(amount.units, len(voters))
    for place, address in enumerate(voters):
        units = each + (rest if place == 0 else 0)
        earn(ctx, address, order.asset, Amount.of(units, amount.decimals))
