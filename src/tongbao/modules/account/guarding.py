"""Guardians, and how they give an account other keys: they agree, it waits, the owner may veto.

Why each rule is there, by the theft that it stops: `docs/decisions/0036`.
"""

from msgspec.structs import replace

from tongbao.kernel import Context, Id, Time, Work, require
from tongbao.modules.account.changing import (
    is_late,
    one_waits,
    own,
    planned,
    recoveries_of,
    set_guard,
    wait,
)
from tongbao.modules.account.checks import check_guard, check_keys, is_shared
from tongbao.modules.account.messages import (
    ApproveRecovery,
    Before,
    Guard,
    ProposeRecovery,
    Recovered,
    Recovery,
    Rescued,
    SetGuardians,
    VetoRecovery,
    Why,
)
from tongbao.modules.account.tables import (
    LATE_MS,
    WAIT_MS,
    YOUNG_MS,
    accounts,
    changes,
    guards,
    module,
    recoveries,
    recoveries_by_time,
    rescues,
)

rescued = module.announcement(Rescued)


@module.handler
def set_guardians(ctx: Context, msg: SetGuardians) -> None:
    """Name the first guardians at once; change them, or do without, after a wait."""
    guard = Guard(guardians=msg.guardians, threshold=msg.threshold)
    check_guard(ctx, ctx.sender, guard)
    if ctx.sender in ctx[guards]:
        wait(ctx, planned(ctx), guard)
        return
    account = own(ctx)
    shared = not guard.guardians or is_shared(account.keys, account.sensitive)
    require(shared, Why.ONE_KEY_IS_ENOUGH)

    # From here it succeeds.
    set_guard(ctx, ctx.sender, guard)


@module.handler
def propose_recovery(ctx: Context, msg: ProposeRecovery) -> Id:
    """Ask for other keys, which have signed; a guardian's earlier request is replaced."""
    guard = ctx[guards].one(msg.account, Why.SENDER_IS_NOT_GUARDIAN)
    require(ctx.sender in guard.guardians, Why.SENDER_IS_NOT_GUARDIAN)
    check_keys(msg.keys, msg.ordinary, msg.sensitive)
    require(is_shared(msg.keys, msg.sensitive), Why.ONE_KEY_IS_ENOUGH)
    under_way = recoveries_of(ctx, msg.account)
    require(not one_waits(under_way), Why.RECOVERY_WAITS)

    # From here it succeeds.
    for name, earlier in under_way:
        if earlier.approvals[0] == ctx.sender:
            del ctx[recoveries][name]
    asked = Recovery(
        account=msg.account,
        keys=msg.keys,
        ordinary=msg.ordinary,
        sensitive=msg.sensitive,
        approvals=(),
        asked_at=ctx.time,
        due_at=Time(ctx.time + ctx.parameter(WAIT_MS)),
    )
    return ctx[recoveries].add(approved(ctx, asked, guard))


@module.handler
def approve_recovery(ctx: Context, msg: ApproveRecovery) -> None:
    """Agree to a recovery; with the last who is needed it begins to wait."""
    recovery = ctx[recoveries].one(msg.recovery, Why.RECOVERY_NOT_FOUND)
    guard = ctx[guards].get(recovery.account)
    assert guard is not None
    require(ctx.sender in guard.guardians, Why.SENDER_IS_NOT_GUARDIAN)
    require(ctx.sender not in recovery.approvals, Why.SENDER_HAS_APPROVED)
    require(not one_waits(recoveries_of(ctx, recovery.account)), Why.RECOVERY_WAITS)

    # From here it succeeds.
    ctx[recoveries][msg.recovery] = approved(ctx, recovery, guard)


def approved(ctx: Context, recovery: Recovery, guard: Guard) -> Recovery:
    """A recovery with the sender's approval. One that begins to wait ends a change that waits."""
    approvals = (*recovery.approvals, ctx.sender)
    if len(approvals) < guard.threshold:
        return replace(recovery, approvals=approvals)
    if recovery.account in ctx[changes]:
        del ctx[changes][recovery.account]
    due_at = Time(ctx.time + ctx.parameter(WAIT_MS))
    return replace(recovery, approvals=approvals, due_at=due_at, waits=True)


@module.handler
def veto_recovery(ctx: Context, msg: VetoRecovery) -> None:
    """End a recovery of the sender's; soon after another one with keys from before that alone."""
    recovery = ctx[recoveries].one(msg.recovery, Why.RECOVERY_NOT_FOUND)
    require(recovery.account == ctx.sender, Why.RECOVERY_NOT_FOUND)
    before = ctx[rescues].get(ctx.sender)
    # By when it was asked for: nobody gains by waiting with a veto until the 30 days are over.
    if before is not None and recovery.asked_at < before.recovered_at + YOUNG_MS:
        weight = sum(entry.weight for entry in before.keys if entry.key.public in msg.older)
        require(weight >= before.sensitive, Why.KEYS_ARE_TOO_YOUNG)

    # From here it succeeds.
    del ctx[recoveries][msg.recovery]


@module.due(recoveries_by_time)
def end_recovery(ctx: Work, name: Id, recovery: Recovery) -> None:
    """Carry out what has waited; what too few have agreed to lapses."""
    if recovery.waits and is_late(ctx, recovery.due_at) and not recovery.postponed:
        again = Time(ctx.time + ctx.parameter(WAIT_MS))
        ctx[recoveries][name] = replace(recovery, due_at=again, postponed=True)
        return
    del ctx[recoveries][name]
    if not recovery.waits:
        return
    if ctx.attempt(carry_out, (name, recovery)) is not None:
        # A module that must hear of it is halted: the next try is after an hour.
        again = Time(ctx.time + LATE_MS)
        ctx[recoveries][name] = replace(recovery, due_at=again, postponed=True)


def carry_out(ctx: Work, given: tuple[Id, Recovery]) -> None:
    """Give an account the keys of a recovery now. It is refused while those who hear are halted."""
    name, recovery = given
    address = recovery.account
    account, before = ctx[accounts].get(address), ctx[rescues].get(address)
    assert account is not None
    if before is None or before.recovered_at + YOUNG_MS <= ctx.time:
        ctx[rescues][address] = Before(
            recovered_at=ctx.time, keys=account.keys, sensitive=account.sensitive
        )
    ctx[accounts][address] = replace(
        account, keys=recovery.keys, ordinary=recovery.ordinary, sensitive=recovery.sensitive
    )
    ctx.announce(rescued, Rescued(account=address))
    ctx.emit(Recovered(account=address, recovery=name))
