"""State, transitions, queries and invariants of accounts."""

from typing import Final

from msgspec.structs import replace

from tongbao.kernel import (
    Address,
    Algorithm,
    Audit,
    Context,
    Keys,
    Module,
    View,
    WeightedKey,
    Work,
    require,
)
from tongbao.kernel.authentication import KEYS_LIMIT
from tongbao.kernel.ed25519 import public_key_is_acceptable
from tongbao.kernel.envelope import decode_base64url
from tongbao.kernel.transaction import LANES_LIMIT
from tongbao.modules.account.messages import (
    Account,
    AddKey,
    Close,
    Closing,
    Open,
    RemoveKey,
    RotateKey,
    SetLanes,
    SetThresholds,
    Start,
    Why,
)

WEIGHT_LIMIT: Final = 255

module = Module(1, "account", reasons=Why)
accounts = module.table(1, key=Address, value=Account)
closing = module.announcement(Closing)


def check_keys(keys: tuple[WeightedKey, ...], ordinary: int, sensitive: int) -> None:
    """Refuse keys and thresholds that could lock an account or weaken it."""
    require(len(keys) <= KEYS_LIMIT, Why.TOO_MANY_KEYS)
    require(len({entry.key.public for entry in keys}) == len(keys), Why.KEY_IS_DOUBLED)
    for entry in keys:
        require(entry.key.algorithm == Algorithm.ED25519.value, Why.ALGORITHM_IS_NOT_SUPPORTED)
        public = decode_base64url(entry.key.public.encode("ascii"))
        require(public_key_is_acceptable(public), Why.KEY_IS_NOT_ACCEPTABLE)
        require(1 <= entry.weight <= WEIGHT_LIMIT, Why.WEIGHT_IS_ZERO)
    total = sum(entry.weight for entry in keys)
    require(1 <= ordinary <= sensitive <= total, Why.THRESHOLD_IS_OUT_OF_REACH)


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


def own(ctx: Context) -> Account:
    """The sender's row: admission has found it open, and nothing since has closed it but Close."""
    account = ctx[accounts].get(ctx.sender)
    assert account is not None
    return account


@module.genesis
def begin(ctx: Work, start: Start) -> None:
    """Open the accounts that the genesis file lists."""
    for asked in start.accounts:
        open_account(ctx, asked)


@module.handler
def open_new(ctx: Context, msg: Open) -> Address:
    """Open an account; its keys have signed, as `also_signed_by` asks."""
    return open_account(ctx, msg)


@module.handler
def add_key(ctx: Context, msg: AddKey) -> None:
    """Add one key to the sender's."""
    account = own(ctx)
    keys = (*account.keys, msg.added)
    check_keys(keys, account.ordinary, account.sensitive)

    # From here it succeeds.
    ctx[accounts][ctx.sender] = replace(account, keys=keys)


@module.handler
def rotate_key(ctx: Context, msg: RotateKey) -> None:
    """Exchange one key of the sender for a new one of the same weight."""
    account = own(ctx)
    require(msg.old in {entry.key.public for entry in account.keys}, Why.KEY_NOT_FOUND)
    keys = tuple(
        WeightedKey(key=msg.new, weight=entry.weight) if entry.key.public == msg.old else entry
        for entry in account.keys
    )
    check_keys(keys, account.ordinary, account.sensitive)

    # From here it succeeds.
    ctx[accounts][ctx.sender] = replace(account, keys=keys)


@module.handler
def remove_key(ctx: Context, msg: RemoveKey) -> None:
    """Remove one key of the sender."""
    account = own(ctx)
    keys = tuple(entry for entry in account.keys if entry.key.public != msg.removed)
    require(len(keys) < len(account.keys), Why.KEY_NOT_FOUND)
    check_keys(keys, account.ordinary, account.sensitive)

    # From here it succeeds.
    ctx[accounts][ctx.sender] = replace(account, keys=keys)


@module.handler
def set_thresholds(ctx: Context, msg: SetThresholds) -> None:
    """Set both thresholds of the sender."""
    account = own(ctx)
    check_keys(account.keys, msg.ordinary, msg.sensitive)

    # From here it succeeds.
    ctx[accounts][ctx.sender] = replace(account, ordinary=msg.ordinary, sensitive=msg.sensitive)


@module.handler
def set_lanes(ctx: Context, msg: SetLanes) -> None:
    """Declare more lanes; nonces of a lane are for ever, so there are never fewer."""
    account = own(ctx)
    require(account.lanes <= msg.lanes <= LANES_LIMIT, Why.LANES_OUT_OF_RANGE)

    # From here it succeeds.
    ctx[accounts][ctx.sender] = replace(account, lanes=msg.lanes)


@module.handler
def close(ctx: Context, msg: Close) -> None:
    """Close the sender's account; modules above move what it owns, or refuse."""
    require(msg.heir != ctx.sender and is_open(ctx, msg.heir), Why.HEIR_NOT_FOUND)
    ctx.announce(closing, Closing(account=ctx.sender, heir=msg.heir))

    # From here it succeeds.
    ctx[accounts][ctx.sender] = Account(closed_into=msg.heir)


@module.function
def is_open(ctx: View, address: Address) -> bool:
    """Whether an address is an account that is not closed."""
    account = ctx[accounts].get(address)
    return account is not None and account.closed_into is None


@module.authenticates
def keys_of(view: View, address: Address) -> Keys | None:
    """The keys that sign for an address; None for no account and for a closed one."""
    account = view[accounts].get(address)
    if account is None or account.closed_into is not None:
        return None
    return Keys(
        keys=account.keys,
        ordinary=account.ordinary,
        sensitive=account.sensitive,
        lanes=account.lanes,
    )


@module.query
def show(view: View, address: Address) -> Account | None:
    """An account's keys, thresholds, lanes and, when closed, its heir."""
    return view[accounts].get(address)


@module.invariant
def every_open_account_can_sign(view: Audit) -> bool:
    """Thresholds are in reach in every open account; a closed one has no keys and an heir."""
    for account in view[accounts].values():
        weight = sum(entry.weight for entry in account.keys)
        if account.closed_into is None:
            reachable = 1 <= account.ordinary <= account.sensitive <= weight
            if not reachable or not 1 <= account.lanes <= LANES_LIMIT:
                return False
        elif account.keys or account.closed_into not in view[accounts]:
            return False
    return True
