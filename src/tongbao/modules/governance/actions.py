"""What each action of a proposal does, when it is tried and when it is carried out."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec.structs import replace

from tongbao.kernel import Work, require
from tongbao.kernel.kernel_module import Upgrade
from tongbao.kernel.membership import admit_peer, remove_peer, remove_validator, set_validator
from tongbao.kernel.parameters import set_parameter
from tongbao.kernel.upgrading import cancel as cancel_upgrade
from tongbao.kernel.upgrading import schedule as schedule_upgrade
from tongbao.modules import account
from tongbao.modules.governance.messages import (
    Action,
    AddOperator,
    AdmitPeer,
    CancelUpgrade,
    Council,
    RemoveOperator,
    RemovePeer,
    RemoveValidator,
    ScheduleUpgrade,
    SetDelay,
    SetParameter,
    SetThreshold,
    SetValidator,
    Why,
)
from tongbao.modules.governance.tables import COUNCIL, OPERATORS_LIMIT, councils


def require_sound(ctx: Work, council: Council) -> None:
    """Refuse operators or a threshold under which nothing could be decided any more."""
    names = council.operators
    require(1 <= council.threshold <= len(names), Why.THRESHOLD_IS_OUT_OF_REACH)
    require(len(names) <= ctx.parameter(OPERATORS_LIMIT), Why.TOO_MANY_OPERATORS)
    require(len(set(names)) == len(names), Why.OPERATOR_IS_DOUBLED)


def change(ctx: Work, council: Council, **changes: Any) -> None:
    """Write the council with changes, where it stays sound."""
    changed = replace(council, **changes)
    require_sound(ctx, changed)

    # From here it succeeds.
    ctx[councils][COUNCIL] = changed


def council_of(ctx: Work) -> Council:
    """The council: whoever carries out a proposal has one."""
    council = ctx[councils].get(COUNCIL)
    assert council is not None
    return council


def add_operator(ctx: Work, action: AddOperator) -> None:
    """One operator more."""
    require(account.is_open(ctx, action.operator), Why.ACCOUNT_NOT_FOUND)
    council = council_of(ctx)
    change(ctx, council, operators=(*council.operators, action.operator))


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
}
"""What each kind of action does."""


def carry_out(ctx: Work, actions: tuple[Action, ...]) -> None:
    """Every action in its order; the first that can't be done refuses all of them."""
    for action in actions:
        DOES[type(action)](ctx, action)
