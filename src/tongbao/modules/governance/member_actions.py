"""What proposals may say of members, permissions and halts. Append to the wire, never renumber."""

from typing import Annotated, Final, NewType

from msgspec import Meta

from tongbao.kernel import Address, Name, Value
from tongbao.kernel.kernel_module import DAY_MS
from tongbao.modules.member import Accounts, Lei, MemberName, PermissionName, Role, Roles

LONGEST_HALT_MS: Final = 30 * DAY_MS

Duration = NewType("Duration", Annotated[int, Meta(ge=1, le=LONGEST_HALT_MS)])
"""Milliseconds from the carrying out of a halt to its end."""


class AdmitMember(Value, tag=12):
    """Let an institution take part, or one that had left take part anew."""

    member: Lei
    name: MemberName
    accounts: Accounts = ()
    roles: Roles = ()


class SuspendMember(Value, tag=13):
    """Let a member take part no more until it is readmitted; its operators are not heard."""

    member: Lei


class ReadmitMember(Value, tag=14):
    """Let a suspended member take part again."""

    member: Lei


class EndMembership(Value, tag=15):
    """A member leaves: it loses its roles, and its accounts are operators no more."""

    member: Lei


class GrantRole(Value, tag=16):
    """Give a member a role."""

    member: Lei
    role: Role


class RevokeRole(Value, tag=17):
    """Take a role from a member."""

    member: Lei
    role: Role


class AddAccount(Value, tag=18):
    """Let an account act for a member."""

    member: Lei
    account: Address


class RemoveAccount(Value, tag=19):
    """Let an account act for a member no more."""

    member: Lei
    account: Address


class GrantPermission(Value, tag=20):
    """Let a role send a message; the first grant reserves it, so that nobody else may."""

    permission: PermissionName
    role: Role


class RevokePermission(Value, tag=21):
    """Let a role send a reserved message no more; it stays reserved, for whoever is left."""

    permission: PermissionName
    role: Role


class OpenPermission(Value, tag=22):
    """Let everybody send a message that was reserved."""

    permission: PermissionName


class Halt(Value, tag=23):
    """Stop a module, and those that use it, for a time; a third of the operators suffices."""

    module: Name
    duration_ms: Duration


class Resume(Value, tag=24):
    """Let a halted module go on before its halt ends."""

    module: Name


MemberAction = (
    AdmitMember
    | SuspendMember
    | ReadmitMember
    | EndMembership
    | GrantRole
    | RevokeRole
    | AddAccount
    | RemoveAccount
    | GrantPermission
    | RevokePermission
    | OpenPermission
    | Halt
    | Resume
)
"""One change of who takes part, what a role may do, and what stands still."""
