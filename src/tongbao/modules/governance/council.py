"""The council: which operators are heard, and that those who are can decide."""

from typing import Any

from msgspec.structs import replace

from tongbao.kernel import Address, View, Work, require
from tongbao.modules import account, member
from tongbao.modules.governance.messages import Council, Operators, Why
from tongbao.modules.governance.tables import COUNCIL, OPERATORS_LIMIT, councils
from tongbao.modules.member import Standing


def standing_of(view: View, operator: Address) -> Standing | None:
    """For which member an operator acts; None where for none, as for all on an older chain."""
    return member.standing(view, operator) if view.has(member.module) else None


def is_heard(view: View, operator: Address) -> bool:
    """Whether an operator proposes and votes now: not while its member is suspended, or has left.

    An operator who acts for no member is heard.
    """
    standing = standing_of(view, operator)
    return standing is None or standing.is_active


def heard(view: View, council: Council) -> Operators:
    """The operators who are heard now, in their order."""
    return tuple(operator for operator in council.operators if is_heard(view, operator))


def has_one_seat_each(standings: list[Standing | None]) -> bool:
    """Whether no member votes with two of its accounts."""
    seated = [standing.member for standing in standings if standing is not None]
    return len(set(seated)) == len(seated)


def require_sound(ctx: Work, council: Council) -> None:
    """Refuse operators or a threshold under which nothing could be decided any more."""
    names = council.operators
    standings = [standing_of(ctx, operator) for operator in names]
    heard_now = sum(standing is None or standing.is_active for standing in standings)
    require(1 <= council.threshold <= heard_now, Why.THRESHOLD_IS_OUT_OF_REACH)
    require(len(set(names)) == len(names), Why.OPERATOR_IS_DOUBLED)
    require(has_one_seat_each(standings), Why.MEMBER_HAS_TWO_SEATS)


def require_room(ctx: Work, operators: Operators) -> None:
    """Refuse more operators than there may be.

    It is asked of who comes: where the limit was lowered below those that there are, any may go.
    """
    require(len(operators) <= ctx.parameter(OPERATORS_LIMIT), Why.TOO_MANY_OPERATORS)


def found_council(ctx: Work, council: Council) -> None:
    """Write the first council."""
    require_sound(ctx, council)
    require_room(ctx, council.operators)
    for operator in council.operators:
        require(account.is_open(ctx, operator), Why.ACCOUNT_NOT_FOUND)

    # From here it succeeds.
    ctx[councils][COUNCIL] = council


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
