"""Orders: asked for, sealed, confirmed, revealed, accepted; taken back, withdrawn or frozen."""

from msgspec.structs import replace

from tongbao.kernel import Context, Hash, Id, Time, Work, require
from tongbao.modules import account, asset, member
from tongbao.modules.data import offers as offering
from tongbao.modules.data.clock import start
from tongbao.modules.data.hashing import data_hash
from tongbao.modules.data.keys import key_is_acceptable
from tongbao.modules.data.licences import grant
from tongbao.modules.data.messages import (
    Accept,
    CancelOrder,
    Confirm,
    Freeze,
    PlaceOrder,
    Reveal,
    Seal,
    Why,
    WithdrawOrder,
)
from tongbao.modules.data.money import least, reserve, scale_of
from tongbao.modules.data.moving import call_off, in_time, put, settle, transfer_of
from tongbao.modules.data.parties import join
from tongbao.modules.data.records import Froze, Order, Reached, Used
from tongbao.modules.data.registering import has_role, is_active, require_each_once, require_fields
from tongbao.modules.data.tables import (
    ACCEPT_MS,
    CANCELLED,
    CONFIRM_MS,
    CONFIRMED,
    DELETION_MS,
    FREEZE_MS,
    OPEN,
    REVEAL_MS,
    REVEALED,
    SEAL_MS,
    SEALED,
    TRANSFER_MS,
    WITHDRAWN,
    batches,
    enterprises,
    module,
    orders,
    used_keys,
)


@module.handler
def place_order(ctx: Context, msg: PlaceOrder) -> Id:
    """Take price and bond, and wait for the seal."""
    require(is_active(ctx, ctx.sender), Why.BUYER_IS_NOT_ACTIVE)
    require_registered(ctx, msg)
    require(account.is_open(ctx, msg.owner), Why.ACCOUNT_NOT_FOUND)
    require_each_once(msg.batches)
    for name in msg.batches:
        require_live(ctx, name, msg)
    require_terms(ctx, msg)
    require(key_is_acceptable(msg.buyer_key), Why.KEY_IS_NOT_ACCEPTABLE)
    require(msg.buyer_key not in ctx[used_keys], Why.KEY_WAS_USED)
    join(ctx, ctx.sender)
    asset.move(ctx, msg.asset, ctx.sender, module.vault, msg.price)
    if msg.deletion_bond:
        asset.move(ctx, msg.asset, ctx.sender, module.vault, msg.deletion_bond)

    # From here it succeeds.
    made = ctx[orders].add(opened(ctx, msg))
    ctx[used_keys][msg.buyer_key] = Used(order=made)
    ctx.emit(Reached(order=made, phase=OPEN))
    return made


def require_registered(ctx: Context, msg: PlaceOrder) -> None:
    """Refuse a buyer that asks for more than it is registered for."""
    buyer = ctx[enterprises].get(ctx.sender)
    assert buyer is not None
    require(msg.purpose in buyer.purposes, Why.PURPOSE_IS_NOT_REGISTERED)
    require_fields(ctx, msg.schema, msg.fields)
    fields = {field for ask in buyer.asks if ask.schema == msg.schema for field in ask.fields}
    require(set(msg.fields) <= fields, Why.FIELD_IS_NOT_REGISTERED)


def require_live(ctx: Work, name: Id, asked: PlaceOrder | Order) -> None:
    """Refuse a batch that is not live, or not of the owner and schema."""
    batch = ctx[batches].one(name, Why.BATCH_NOT_FOUND)
    fits = batch.owner == asked.owner and batch.schema == asked.schema
    require(fits, Why.BATCH_IS_NOT_OWNERS)
    require(not batch.superseded and not batch.retired, Why.BATCH_IS_NOT_LIVE)


def require_terms(ctx: Context, msg: PlaceOrder) -> None:
    """Refuse money and times that can't be."""
    scale_of(ctx, msg.asset, msg.price, msg.fee, msg.deletion_bond)
    require(msg.price > msg.fee, Why.PRICE_IS_NOT_ABOVE_FEE)
    latest = ctx.time + ctx.parameter(SEAL_MS)
    require(ctx.time < msg.seal_by <= latest, Why.SEAL_TIME_IS_WRONG)
    least_time = msg.seal_by + ctx.parameter(DELETION_MS)
    require(msg.delete_by >= least_time, Why.DELETION_TIME_IS_WRONG)


def opened(ctx: Context, msg: PlaceOrder) -> Order:
    """The order of a message, which the clock counts from now on."""
    return Order(
        buyer=ctx.sender,
        owner=msg.owner,
        schema=msg.schema,
        fields=msg.fields,
        purpose=msg.purpose,
        mode=msg.mode,
        batches=msg.batches,
        asset=msg.asset,
        price=msg.price,
        fee=msg.fee,
        deletion_bond=msg.deletion_bond,
        request_hash=msg.request_hash,
        buyer_key=msg.buyer_key,
        delete_by=msg.delete_by,
        phase=OPEN,
        deadline=msg.seal_by,
        grown=start(ctx),
        asked_at=ctx.time,
    )


@module.handler
def seal(ctx: Context, msg: Seal) -> None:
    """Consent to an open order, by an offer; an agent's bond is reserved to the end."""
    order = in_time(ctx, msg.order, OPEN)
    require(msg.chunks.bit_count() == 1, Why.CHUNKS_ARE_NOT_PADDED)
    require(is_active(ctx, order.buyer), Why.BUYER_IS_NOT_ACTIVE)
    offering.use(ctx, msg, order)
    for name in order.batches:
        require_live(ctx, name, order)
    secured = None
    if ctx.sender != order.owner:
        secured = least(ctx, order.price, 1)
        reserve(ctx, ctx.sender, order.asset, secured)
    join(ctx, ctx.sender)

    # From here it succeeds.
    put(
        ctx,
        msg.order,
        order,
        SEALED,
        ctx.parameter(CONFIRM_MS) + transfer_of(msg.chunks, ctx.parameter(TRANSFER_MS)),
        seller=ctx.sender,
        offer=msg.offer,
        grant_hash=msg.grant_hash,
        package_root=msg.package_root,
        chunks=msg.chunks,
        a_commit=msg.a_commit,
        b_lock=msg.b_lock,
        secured=secured,
        sealed_at=ctx.time,
    )


@module.handler
def confirm(ctx: Context, msg: Confirm) -> None:
    """The buyer has what was sealed."""
    order = in_time(ctx, msg.order, SEALED)
    require(order.buyer == ctx.sender, Why.SENDER_IS_NOT_BUYER)
    sealed = order.grant_hash, order.package_root
    require((msg.grant_hash, msg.package_root) == sealed, Why.SEAL_DIFFERS)

    # From here it succeeds.
    lasts = ctx.parameter(REVEAL_MS)
    said = {"nonce": msg.nonce, "confirmed_at": ctx.time}
    put(ctx, msg.order, order, CONFIRMED, lasts, **said)


@module.handler
def reveal(ctx: Context, msg: Reveal) -> Id:
    """Publish b: the money is earned unless the buyer claims, and the buyer has a licence."""
    order = in_time(ctx, msg.order, CONFIRMED)
    require(ctx.sender in (order.owner, order.seller), Why.SENDER_DID_NOT_SEAL)
    require(lock_of(msg.order, msg.b) == order.b_lock, Why.LOCK_DOES_NOT_OPEN)
    require(is_active(ctx, order.buyer), Why.BUYER_IS_NOT_ACTIVE)
    frozen = order.frozen_until is not None and ctx.time < order.frozen_until
    require(not frozen, Why.ORDER_IS_FROZEN)

    # From here it succeeds.
    lasts = ctx.parameter(ACCEPT_MS)
    put(ctx, msg.order, order, REVEALED, lasts, b=msg.b, revealed_at=ctx.time)
    return grant(ctx, msg.order, order)


def lock_of(order: Id, b: Hash) -> Hash:
    """What b is locked by in an order: H("b", order, b)."""
    return Hash(data_hash("b", bytes.fromhex(order), bytes.fromhex(b)).hex())


@module.handler
def accept(ctx: Context, msg: Accept) -> None:
    """Settle before the deadline."""
    order = in_time(ctx, msg.order, REVEALED)
    require(order.buyer == ctx.sender, Why.SENDER_IS_NOT_BUYER)

    # From here it succeeds.
    settle(ctx, msg.order, order)


@module.handler
def cancel_order(ctx: Context, msg: CancelOrder) -> None:
    """Everything back, as the buyer wants."""
    order = in_time(ctx, msg.order, OPEN, SEALED)
    require(order.buyer == ctx.sender, Why.SENDER_IS_NOT_BUYER)

    # From here it succeeds.
    call_off(ctx, msg.order, order, CANCELLED)


@module.handler
def withdraw_order(ctx: Context, msg: WithdrawOrder) -> None:
    """Everything back, as the owner wants."""
    order = in_time(ctx, msg.order, OPEN, SEALED, CONFIRMED)
    require(order.owner == ctx.sender, Why.SENDER_IS_NOT_OWNER)

    # From here it succeeds.
    call_off(ctx, msg.order, order, WITHDRAWN)


@module.handler
def freeze(ctx: Context, msg: Freeze) -> None:
    """Let an order not be revealed for a time; who can't reveal is not at fault."""
    supervises = has_role(ctx, ctx.sender, member.SUPERVISOR)
    require(supervises, Why.SENDER_IS_NOT_SUPERVISOR)
    order = in_time(ctx, msg.order, OPEN, SEALED, CONFIRMED)
    latest = Time(ctx.time + ctx.parameter(FREEZE_MS))
    require(ctx.time < msg.until <= latest, Why.FREEZE_IS_WRONG)

    # From here it succeeds.
    ctx[orders][msg.order] = replace(order, frozen_until=msg.until)
    ctx.emit(Froze(order=msg.order, until=msg.until, reason=msg.reason))
