"""What each action of a proposal does, when it is tried and when it is carried out."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tongbao.kernel import Time, Work, require
from tongbao.kernel.halting import halt, last_stop, resume
from tongbao.kernel.kernel_module import Allowance, Upgrade
from tongbao.kernel.membership import admit_peer, remove_peer, remove_validator, set_validator
from tongbao.kernel.parameters import set_parameter
from tongbao.kernel.sponsoring import end_allowance, set_allowance
from tongbao.kernel.upgrading import cancel as cancel_upgrade
from tongbao.kernel.upgrading import schedule as schedule_upgrade
from tongbao.modules import account, member
from tongbao.modules.governance.council import (
    change,
    council_of,
    is_heard,
    require_room,
    require_sound,
)
from tongbao.modules.governance.member_actions import (
    AddAccount,
    AdmitMember,
    EndMembership,
    GrantPermission,
    GrantRole,
    Halt,
    OpenPermission,
    ReadmitMember,
    RemoveAccount,
    Resume,
    RevokePermission,
    RevokeRole,
    SuspendMember,
)
from tongbao.modules.governance.messages import (
    Action,
    AddOperator,
    AdmitPeer,
    CancelUpgrade,
    EndAllowance,
    RemoveOperator,
    RemovePeer,
    RemoveValidator,
    ScheduleUpgrade,
    SetAllowance,
    SetDelay,
    SetParameter,
    SetThreshold,
    SetValidator,
    Why,
)
from tongbao.modules.governance.tables import HALT_MS, HALT_REST_MS


def add_operator(ctx: Work, action: AddOperator) -> None:
    """One operator more."""
    require(account.is_open(ctx, action.operator), Why.ACCOUNT_NOT_FOUND)
    require(is_heard(ctx, action.operator), Why.MEMBER_IS_NOT_ACTIVE)
    council = council_of(ctx)
    operators = (*council.operators, action.operator)
    require_room(ctx, operators)
    change(ctx, council, operators=operators)


def remove_operator(ctx: Work, action: RemoveOperator) -> None:
    """One operator less; those left still reach the threshold."""
    council = council_of(ctx)
    require(action.operator in council.operators, Why.OPERATOR_NOT_FOUND)
    left = tuple(name for name in council.operators if name != action.operator)
    change(ctx, council, operators=left)


def set_threshold(ctx: Work, action: SetThreshold) -> None:
    """Another threshold, within reach."""
    change(ctx, council_of(ctx), threshold=action.threshold)


def set_delay(ctx: Work, action: SetDelay) -> None:
    """Another delay."""
    change(ctx, council_of(ctx), delay_ms=action.delay_ms)


def schedule(ctx: Work, action: ScheduleUpgrade) -> None:
    """An upgrade, by the kernel's rules for it."""
    upgrade = Upgrade(modules=action.modules, features=action.features)
    schedule_upgrade(ctx, action.height, upgrade)


def admit_member(ctx: Work, action: AdmitMember) -> None:
    """One member more."""
    first = member.FirstMember(
        lei=action.member, name=action.name, accounts=action.accounts, roles=action.roles
    )
    member.admit(ctx, first)


def end_membership(ctx: Work, action: EndMembership) -> None:
    """One member less, and its seats among the operators with it."""
    gone = member.end(ctx, action.member)
    council = council_of(ctx)
    left = tuple(name for name in council.operators if name not in gone)
    change(ctx, council, operators=left)


def halt_module(ctx: Work, action: Halt) -> None:
    """Stop a module for a time, and not again until it has worked for a time.

    It stood still by the halts of what it uses as well: else a third would halt both in turn.
    """
    require(action.duration_ms <= ctx.parameter(HALT_MS), Why.HALT_IS_TOO_LONG)
    ended = last_stop(ctx, action.module)
    rested = ended == 0 or ctx.time >= ended + ctx.parameter(HALT_REST_MS)
    require(rested, Why.HALT_IS_TOO_SOON)
    halt(ctx, action.module, Time(ctx.time + action.duration_ms))


def make_sponsor(ctx: Work, action: SetAllowance) -> None:
    """A sponsor, by the kernel's rules for what it pays."""
    require(account.is_open(ctx, action.sponsor), Why.ACCOUNT_NOT_FOUND)
    allowance = Allowance(
        capacity=action.capacity,
        per_minute=action.per_minute,
        accounts=action.accounts,
        rows=action.rows,
    )
    set_allowance(ctx, action.sponsor, allowance)


DOES: Final[Mapping[type[Action], Callable[[Work, Any], None]]] = {
    SetValidator: lambda ctx, action: set_validator(ctx, action.key, action.power),
    RemoveValidator: lambda ctx, action: remove_validator(ctx, action.key),
    AdmitPeer: lambda ctx, action: admit_peer(ctx, action.node),
    RemovePeer: lambda ctx, action: remove_peer(ctx, action.node),
    SetParameter: lambda ctx, action: set_parameter(ctx, action.name, action.value),
    ScheduleUpgrade: schedule,
    CancelUpgrade: lambda ctx, action: cancel_upgrade(ctx, action.height),
    AddOperator: add_operator,
    RemoveOperator: remove_operator,
    SetThreshold: set_threshold,
    SetDelay: set_delay,
    Halt: halt_module,
    Resume: lambda ctx, action: resume(ctx, action.module),
    SetAllowance: make_sponsor,
    EndAllowance: lambda ctx, action: end_allowance(ctx, action.sponsor),
}
"""What each kind of action does."""

DOES_OF_MEMBERS: Final[Mapping[type[Action], Callable[[Work, Any], None]]] = {
    AdmitMember: admit_member,
    SuspendMember: lambda ctx, action: member.suspend(ctx, action.member),
    ReadmitMember: lambda ctx, action: member.readmit(ctx, action.member),
    EndMembership: end_membership,
    GrantRole: lambda ctx, action: member.grant_role(ctx, action.member, action.role),
    RevokeRole: lambda ctx, action: member.revoke_role(ctx, action.member, action.role),
    AddAccount: lambda ctx, action: member.add_account(ctx, action.member, action.account),
    RemoveAccount: lambda ctx, action: member.remove_account(ctx, action.member, action.account),
    GrantPermission: lambda ctx, action: member.grant_permission(
        ctx, action.permission, action.role
    ),
    RevokePermission: lambda ctx, action: member.revoke_permission(
        ctx, action.permission, action.role
    ),
    OpenPermission: lambda ctx, action: member.open_permission(ctx, action.permission),
}
"""What each kind of action does where the chain has members; operators can decide after it."""


def carry_out(ctx: Work, actions: tuple[Action, ...]) -> None:
    """Every action in its order; the first that can't be done refuses all of them."""
    for action in actions:
        act = DOES.get(type(action))
        if act is None:
            require(ctx.has(member.module), Why.MEMBERS_ARE_NOT_KEPT)
            DOES_OF_MEMBERS[type(action)](ctx, action)
            require_sound(ctx, council_of(ctx))
        else:
            act(ctx, action)
