"""How an account changes: at once, or after a wait where it has guardians.

There is one change of an account at most that waits: what the account is to become. Another one is
added to it, and all of it waits anew; so a transaction of several messages changes as it would.
"""

from msgspec.structs import replace

from tongbao.kernel import Address, Context, Count, Id, Small, Time, View, Work, require
from tongbao.modules.account.checks import check_keys, is_open_now, is_shared
from tongbao.modules.account.messages import (
    GUARDIANS_LIMIT,
    Account,
    CancelChange,
    Change,
    Changed,
    Closing,
    Guard,
    Recovery,
    Why,
)
from tongbao.modules.account.tables import (
    LATE_MS,
    WAIT_MS,
    YOUNG_MS,
    accounts,
    changes,
    changes_by_time,
    closing,
    guards,
    module,
    recoveries,
    recoveries_by_account,
    rescues,
)

NOBODY = Guard(guardians=(), threshold=Small(0))


def own(ctx: Context) -> Account:
    """The sender's row: admission has found it open, and nothing since has closed it but Close."""
    account = ctx[accounts].get(ctx.sender)
    assert account is not None
    return account


def planned(ctx: Context) -> Account:
    """The sender's row as it is going to be: with the keys and thresholds that wait."""
    account, change = own(ctx), ctx[changes].get(ctx.sender)
    if change is None:
        return account
    return replace(account, keys=change.keys, ordinary=change.ordinary, sensitive=change.sensitive)


def put(ctx: Context, account: Account) -> None:
    """Give the sender these keys and thresholds; after a wait where there are guardians."""
    check_keys(account.keys, account.ordinary, account.sensitive)
    if ctx.sender in ctx[guards]:
        wait(ctx, account)
        return

    # From here it succeeds.
    ctx[accounts][ctx.sender] = account


def wait(
    ctx: Context, account: Account, guard: Guard | None = None, heir: Address | None = None
) -> None:
    """Add to what waits: these keys and thresholds, and guardians or an heir where given."""
    require(not one_waits(recoveries_of(ctx, ctx.sender)), Why.RECOVERY_WAITS)
    present, before = ctx[guards].get(ctx.sender), ctx[changes].get(ctx.sender)
    assert present is not None
    if before is not None:
        heir = before.heir if heir is None else heir
        guard = guard or Guard(guardians=before.guardians, threshold=before.threshold)
    guard = guard or present
    if guard.guardians:
        require(is_shared(account.keys, account.sensitive), Why.ONE_KEY_IS_ENOUGH)

    # From here it succeeds.
    ctx[changes][ctx.sender] = Change(
        keys=account.keys,
        ordinary=account.ordinary,
        sensitive=account.sensitive,
        guardians=guard.guardians,
        threshold=guard.threshold,
        due_at=end_of_wait(ctx, keeps_guard=heir is None and guard == present),
        heir=heir,
    )


def end_of_wait(ctx: Context, *, keeps_guard: bool) -> Time:
    """When a change is made. Guardians stay for 30 days after a recovery: it may be a thief's."""
    ends = Time(ctx.time + ctx.parameter(WAIT_MS))
    before = ctx[rescues].get(ctx.sender)
    if keeps_guard or before is None:
        return ends
    return max(ends, Time(before.recovered_at + YOUNG_MS))


@module.handler
def cancel_change(ctx: Context, msg: CancelChange) -> None:
    """Drop what waits; the sender stays as it is."""
    require(ctx.sender in ctx[changes], Why.CHANGE_NOT_FOUND)

    # From here it succeeds.
    del ctx[changes][ctx.sender]


@module.due(changes_by_time)
def make_change(ctx: Work, address: Address, change: Change) -> None:
    """Make a change that has waited, all of it or nothing; it is gone in either case."""
    if is_late(ctx, change.due_at) and not change.postponed:
        again = Time(ctx.time + ctx.parameter(WAIT_MS))
        ctx[changes][address] = replace(change, due_at=again, postponed=True)
        return
    del ctx[changes][address]
    why = ctx.attempt(carry_out, (address, change))
    ctx.emit(Changed(account=address, number=Count(0 if why is None else why.number)))


def is_late(ctx: Work, due_at: Time) -> bool:
    """Whether something comes so late that blocks, or this module, must have stood meanwhile."""
    return ctx.time > due_at + LATE_MS


def carry_out(ctx: Work, given: tuple[Address, Change]) -> None:
    """Make a change now. It may be refused: an heir may have closed, a hold have been placed."""
    address, change = given
    if change.heir is not None:
        close_now(ctx, address, change.heir)
        set_guard(ctx, address, NOBODY)
        return
    account = ctx[accounts].get(address)
    assert account is not None
    ctx[accounts][address] = replace(
        account, keys=change.keys, ordinary=change.ordinary, sensitive=change.sensitive
    )
    set_guard(ctx, address, Guard(guardians=change.guardians, threshold=change.threshold))


def set_guard(ctx: Work, address: Address, guard: Guard) -> None:
    """Name an account's guardians; with others than before, what was under way ends."""
    present = ctx[guards].get(address)
    if guard == (present or NOBODY):
        return
    for name, _ in recoveries_of(ctx, address):
        del ctx[recoveries][name]
    if guard.guardians:
        ctx[guards][address] = guard
    else:
        del ctx[guards][address]


def close_now(ctx: Work, address: Address, heir: Address) -> None:
    """Close an account; modules above move what it owns, or refuse."""
    require(heir != address and is_open_now(ctx, heir), Why.HEIR_NOT_FOUND)
    ctx.announce(closing, Closing(account=address, heir=heir))

    # From here it succeeds.
    ctx[accounts][address] = Account(closed_into=heir)


def recoveries_of(view: View, address: Address) -> tuple[tuple[Id, Recovery], ...]:
    """The recoveries of an account that are under way: each guardian asks for one at most."""
    return view.page(recoveries_by_account, address, None, limit=GUARDIANS_LIMIT).rows


def one_waits(under_way: tuple[tuple[Id, Recovery], ...]) -> bool:
    """Whether enough guardians have agreed to one of them."""
    return any(recovery.waits for _, recovery in under_way)
