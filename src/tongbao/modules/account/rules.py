"""Transitions of accounts: open, change keys and thresholds, close."""

from msgspec.structs import replace

from tongbao.kernel import Address, Context, PublicKey, View, WeightedKey, Work, require
from tongbao.kernel.transaction import LANES_LIMIT
from tongbao.modules.account.changing import close_now, own, planned, put, wait
from tongbao.modules.account.checks import check_keys, is_open_now
from tongbao.modules.account.messages import (
    Account,
    AddKey,
    Close,
    Incoming,
    Open,
    Opened,
    RemoveKey,
    RotateKey,
    SetIncoming,
    SetLanes,
    SetThresholds,
    Start,
    SubAccount,
    Why,
)
from tongbao.modules.account.tables import (
    accounts,
    guards,
    incoming,
    module,
    opened,
    sub_accounts,
)


def open_account(ctx: Work, asked: Open) -> Address:
    """Write the row of a new account under a derived id."""
    check_keys(asked.keys, asked.ordinary, asked.sensitive)
    require(1 <= asked.lanes <= LANES_LIMIT, Why.LANES_OUT_OF_RANGE)

    # From here it succeeds.
    address = Address(ctx.new_id())
    assert address not in ctx[accounts]
    ctx[accounts][address] = Account(
        keys=asked.keys,
        ordinary=asked.ordinary,
        sensitive=asked.sensitive,
        lanes=asked.lanes,
    )
    return address


@module.genesis
def begin(ctx: Work, start: Start) -> None:
    """Open the accounts that the genesis file lists."""
    for asked in start.accounts:
        open_account(ctx, asked)


@module.handler
def open_new(ctx: Context, msg: Open) -> Address:
    """Open an account; its keys have signed, as `also_signed_by` asks."""
    address = open_account(ctx, msg)
    if msg.under:
        ctx[sub_accounts][ctx.sender, address] = SubAccount(opened_at=ctx.time)
    ctx.announce(opened, Opened(account=address, opener=ctx.sender))
    return address


@module.handler
def add_key(ctx: Context, msg: AddKey) -> None:
    """Add one key to the sender's."""
    account = planned(ctx)
    put(ctx, replace(account, keys=(*account.keys, msg.added)))


@module.handler
def rotate_key(ctx: Context, msg: RotateKey) -> None:
    """Exchange one key of the sender for a new one of the same weight."""
    account = planned(ctx)
    require(msg.old in {entry.key.public for entry in account.keys}, Why.KEY_NOT_FOUND)
    keys = tuple(
        WeightedKey(key=msg.new, weight=entry.weight) if entry.key.public == msg.old else entry
        for entry in account.keys
    )
    put(ctx, replace(account, keys=keys))


@module.handler
def remove_key(ctx: Context, msg: RemoveKey) -> None:
    """Remove one key of the sender."""
    account = planned(ctx)
    keys = tuple(entry for entry in account.keys if entry.key.public != msg.removed)
    require(len(keys) < len(account.keys), Why.KEY_NOT_FOUND)
    put(ctx, replace(account, keys=keys))


@module.handler
def set_thresholds(ctx: Context, msg: SetThresholds) -> None:
    """Set both thresholds of the sender."""
    put(ctx, replace(planned(ctx), ordinary=msg.ordinary, sensitive=msg.sensitive))


@module.handler
def set_lanes(ctx: Context, msg: SetLanes) -> None:
    """Declare more lanes; nonces of a lane are for ever, so there are never fewer."""
    account = own(ctx)
    require(account.lanes <= msg.lanes <= LANES_LIMIT, Why.LANES_OUT_OF_RANGE)

    # From here it succeeds.
    ctx[accounts][ctx.sender] = replace(account, lanes=msg.lanes)


@module.handler
def set_incoming(ctx: Context, msg: SetIncoming) -> None:
    """Ask for references from now on, or no longer."""
    if msg.needs_reference:
        ctx[incoming][ctx.sender] = Incoming()
    elif ctx.sender in ctx[incoming]:
        del ctx[incoming][ctx.sender]


@module.handler
def close(ctx: Context, msg: Close) -> None:
    """Close the sender's account; after a wait where it has guardians, if it then still can."""
    if ctx.sender not in ctx[guards]:
        close_now(ctx, ctx.sender, msg.heir)
        return
    refused = ctx.attempt(
        lambda work, heir: close_now(work, ctx.sender, heir), msg.heir, keep=False
    )
    if refused is not None:
        require(False, refused)
    wait(ctx, planned(ctx), heir=msg.heir)


@module.function
def is_open(ctx: View, address: Address) -> bool:
    """Whether an address is an account that is not closed."""
    return is_open_now(ctx, address)


@module.function
def signing_alone(ctx: View, address: Address) -> tuple[PublicKey, ...]:
    """The keys each of which is heavy enough alone for an ordinary message of an account."""
    account = ctx[accounts].get(address)
    if account is None:
        return ()
    return tuple(entry.key.public for entry in account.keys if entry.weight >= account.ordinary)


@module.function
def needs_reference(ctx: View, payee: Address) -> bool:
    """Whether payments to an account must carry a reference."""
    return payee in ctx[incoming]
