"""Members, permissions and halts in the model."""

from __future__ import annotations

from typing import Any, Final

from tongbao.simulation.model.books import Member, Turn, need
from tongbao.simulation.model.numbers import GovernanceWhy, KernelWhy, MemberWhy

ROLES: Final = frozenset(
    (
        "operator",
        "issuer",
        "supervisor",
        "identity_authority",
        "data_source",
        "adjudicator",
        "data_registrar",
    )
)
RESERVABLE: Final = frozenset(("account.open", "asset.define", "asset.issue"))
ABOVE: Final = {
    "account": frozenset(
        ("account", "member", "asset", "hold", "mandate", "reading", "data", "mischief", "sponsor")
    ),
    "member": frozenset(("member", "reading")),
    "asset": frozenset(("asset", "hold", "mandate", "data", "mischief")),
    "hold": frozenset(("hold",)),
    "mandate": frozenset(("mandate",)),
    "reading": frozenset(("reading",)),
    "data": frozenset(("data",)),
    "upgrade": frozenset(("upgrade",)),
    "mischief": frozenset(("mischief",)),
    "sponsor": frozenset(("sponsor",)),
}
"""What stands still with a module: itself and all that is built on it; governance never does."""
MOST_ACCOUNTS: Final = 16
LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def is_identifier(lei: str) -> bool:
    """Whether the last two characters are what ISO/IEC 7064 MOD 97-10 makes of the others."""
    rest = 0
    for letter in lei[:-2] + "00":
        value = LETTERS.index(letter)
        rest = (rest * (10 if value < 10 else 100) + value) % 97
    return int(lei[-2:]) == 98 - rest


# What is asked of every message


def may(turn: Turn, wire_name: str) -> None:
    """Whether the sender may send a message that somebody may have reserved."""
    reserved = turn.books.permissions.get(wire_name)
    if wire_name not in RESERVABLE or reserved is None:
        return
    member = turn.books.members.get(turn.books.acting.get(turn.sender or "", ""))
    fits = member is not None and member.status == "active" and bool(member.roles & reserved)
    need(fits, MemberWhy.SENDER_HAS_NO_PERMISSION)


def go_on(turn: Turn, module: str) -> None:
    """Whether a module is not halted."""
    need(turn.time >= turn.halted.get(module, 0), KernelWhy.MODULE_IS_HALTED)


def halted(halts: dict[str, int]) -> dict[str, int]:
    """Until when each module stands still, by the halts of those below it."""
    found: dict[str, int] = {}
    for name, until in halts.items():
        for module in ABOVE[name]:
            found[module] = max(until, found.get(module, 0))
    return found


# Who is heard


def is_heard(turn: Turn, address: str | None) -> bool:
    """Whether no member of the account's is suspended or has left."""
    member = turn.books.members.get(turn.books.acting.get(address or "", ""))
    return member is None or member.status == "active"


def leave_account(turn: Turn, closing: str) -> None:
    """A closed account acts for nobody."""
    turn.books.acting.pop(closing, None)


# Actions


def _known(turn: Turn, lei: str) -> Member:
    member = turn.books.members.get(lei)
    known = member is not None and member.status != "left"
    need(known, MemberWhy.MEMBER_NOT_FOUND)
    assert member is not None
    return member


def _active(turn: Turn, lei: str) -> Member:
    member = _known(turn, lei)
    need(member.status == "active", MemberWhy.MEMBER_IS_NOT_ACTIVE)
    return member


def admit(turn: Turn, action: dict[str, Any]) -> None:
    """A new member, or one that comes back as a new one."""
    books, lei = turn.books, action["member"]
    need(is_identifier(lei), MemberWhy.LEI_IS_WRONG)
    before = books.members.get(lei)
    need(before is None or before.status == "left", MemberWhy.MEMBER_IS_ADMITTED)
    for address in [known for known, of in books.acting.items() if of == lei]:
        del books.acting[address]
    books.members[lei] = Member(action["name"], "active", frozenset())
    for address in action.get("accounts", []):
        add_account(turn, {"member": lei, "account": address})
    for role in action.get("roles", []):
        grant_role(turn, {"member": lei, "role": role})


def suspend(turn: Turn, action: dict[str, Any]) -> None:
    """A member is not heard."""
    lei = action["member"]
    turn.books.members[lei] = _active(turn, lei)._replace(status="suspended")


def readmit(turn: Turn, action: dict[str, Any]) -> None:
    """A member is heard again."""
    lei = action["member"]
    member = _known(turn, lei)
    need(member.status == "suspended", MemberWhy.MEMBER_IS_NOT_SUSPENDED)
    turn.books.members[lei] = member._replace(status="active")


def leave(turn: Turn, lei: str) -> set[str]:
    """A member goes; the accounts that were its own."""
    turn.books.members[lei] = _known(turn, lei)._replace(status="left", roles=frozenset())
    return {address for address, of in turn.books.acting.items() if of == lei}


def grant_role(turn: Turn, action: dict[str, Any]) -> None:
    """One role more."""
    lei, role = action["member"], action["role"]
    member = _active(turn, lei)
    need(role in ROLES, MemberWhy.ROLE_IS_UNKNOWN)
    need(role not in member.roles, MemberWhy.ROLE_IS_HELD)
    turn.books.members[lei] = member._replace(roles=member.roles | {role})


def revoke_role(turn: Turn, action: dict[str, Any]) -> None:
    """One role less."""
    lei, role = action["member"], action["role"]
    member = _known(turn, lei)
    need(role in member.roles, MemberWhy.ROLE_IS_NOT_HELD)
    turn.books.members[lei] = member._replace(roles=member.roles - {role})


def add_account(turn: Turn, action: dict[str, Any]) -> None:
    """One account more."""
    books, lei, address = turn.books, action["member"], action["account"]
    _active(turn, lei)
    need(books.is_open(address), MemberWhy.ACCOUNT_NOT_FOUND)
    other = books.members.get(books.acting.get(address, ""))
    need(other is None or other.status == "left", MemberWhy.ACCOUNT_ACTS_ALREADY)
    need(list(books.acting.values()).count(lei) < MOST_ACCOUNTS, MemberWhy.TOO_MANY_ACCOUNTS)
    books.acting[address] = lei


def remove_account(turn: Turn, action: dict[str, Any]) -> None:
    """One account less."""
    _active(turn, action["member"])
    is_own = turn.books.acting.get(action["account"]) == action["member"]
    need(is_own, MemberWhy.ACCOUNT_DOES_NOT_ACT)
    del turn.books.acting[action["account"]]


def grant_permission(turn: Turn, action: dict[str, Any]) -> None:
    """One role more may send a message, and those without one may not."""
    name, role = action["permission"], action["role"]
    need(name in RESERVABLE, MemberWhy.PERMISSION_IS_UNKNOWN)
    need(role in ROLES, MemberWhy.ROLE_IS_UNKNOWN)
    roles = turn.books.permissions.get(name, frozenset())
    need(role not in roles, MemberWhy.PERMISSION_IS_GRANTED)
    turn.books.permissions[name] = roles | {role}


def revoke_permission(turn: Turn, action: dict[str, Any]) -> None:
    """One role less may send a message."""
    name, role = action["permission"], action["role"]
    roles = turn.books.permissions.get(name, frozenset())
    need(role in roles, MemberWhy.PERMISSION_IS_NOT_GRANTED)
    turn.books.permissions[name] = roles - {role}


def open_permission(turn: Turn, action: dict[str, Any]) -> None:
    """Everybody may send a message again."""
    need(action["permission"] in turn.books.permissions, MemberWhy.PERMISSION_IS_OPEN)
    del turn.books.permissions[action["permission"]]


def halt(turn: Turn, action: dict[str, Any]) -> None:
    """A module stands still for a time, when it has worked for a time before."""
    name, duration = action["module"], action["duration_ms"]
    need(duration <= turn.values["governance.halt_ms"], GovernanceWhy.HALT_IS_TOO_LONG)
    ended = halted(turn.books.halts).get(name)
    rest = turn.values["governance.halt_rest_ms"]
    need(ended is None or turn.time - ended >= rest, GovernanceWhy.HALT_IS_TOO_SOON)
    need(name in ABOVE, KernelWhy.MODULE_CANNOT_BE_HALTED)
    turn.books.halts[name] = turn.time + duration


def resume(turn: Turn, action: dict[str, Any]) -> None:
    """A module goes on."""
    until = turn.books.halts.get(action["module"], 0)
    need(turn.time < until, KernelWhy.MODULE_IS_NOT_HALTED)
    turn.books.halts[action["module"]] = turn.time


RULES: Final = {
    "governance.admit_member": admit,
    "governance.suspend_member": suspend,
    "governance.readmit_member": readmit,
    "governance.grant_role": grant_role,
    "governance.revoke_role": revoke_role,
    "governance.add_account": add_account,
    "governance.remove_account": remove_account,
    "governance.grant_permission": grant_permission,
    "governance.revoke_permission": revoke_permission,
    "governance.open_permission": open_permission,
}
"""What operators decide about members; afterwards they can still decide."""

HALTS: Final = {"governance.halt": halt, "governance.resume": resume}
