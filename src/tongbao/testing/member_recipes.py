"""How random decisions about members, permissions and halts come to make sense."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tongbao.kernel import Address, Name
from tongbao.modules import governance, member
from tongbao.modules.governance import Action, Duration
from tongbao.modules.member import Lei, MemberName, PermissionName, Role
from tongbao.testing.world import NOBODY, World

LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
BASE_LENGTH: Final = 18
MODULES: Final = (
    "account",
    "asset",
    "hold",
    "mandate",
    "reading",
    "data",
    "upgrade",
    "member",
    "sponsor",
)
DURATIONS_MS: Final = (1, 1_000, 5_000, 60_000)
ROLES: Final = (member.ISSUER, member.OPERATOR, member.SUPERVISOR)
RESERVABLE: Final = ("account.open", "asset.define", "asset.issue")


def new_lei(world: World) -> Lei:
    """The identifier of an institution that nobody knows; at odd times with wrong check digits."""
    base = "".join(world.one(LETTERS) for _ in range(BASE_LENGTH))
    digits = member.check_digits_of(base)
    return Lei(base + (f"{(int(digits) + 1) % 100:02d}" if world.odd() else digits))


def a_member(world: World, status: str = "active") -> Lei:
    """A member of a status, mostly; at odd times any, and one that is not known where none is."""
    fitting = [lei for lei, row in world.members.items() if row.status == status]
    if not fitting or world.odd():
        fitting = list(world.members)
    return world.one(fitting) if fitting and not world.odd() else new_lei(world)


def role(world: World) -> Role:
    """A role; at odd times one that no module declares."""
    return Role("jester" if world.odd() else world.one(ROLES))


def free_account(world: World) -> Address:
    """An account that acts for nobody, often an operator's; at odd times any, or one that can't."""
    if world.council is not None and world.chance(0.4):
        return world.one(world.council.operators)
    free = [address for address in world.people if address not in world.acting]
    return world.one(free) if free and not world.odd() else world.other_than(NOBODY)


def admit(world: World) -> Action:
    """An institution with at most one account and role; now and then one that was known."""
    known = bool(world.members) and world.chance(0.2)
    return governance.AdmitMember(
        member=a_member(world, "left") if known else new_lei(world),
        name=MemberName(f"Bank No. {world.number(1, 99)}"),
        accounts=(free_account(world),) if world.chance(0.8) else (),
        roles=(role(world),) if world.chance(0.5) else (),
    )


def suspend(world: World) -> Action:
    """An active member, at best one that has a seat among the operators."""
    seats = world.council.operators if world.council is not None else ()
    seated = [world.acting[one].member for one in seats if one in world.acting]
    is_seated = bool(seated) and world.chance(0.7)
    return governance.SuspendMember(member=world.one(seated) if is_seated else a_member(world))


def grant_role(world: World) -> Action:
    """One more role for somebody."""
    return governance.GrantRole(member=a_member(world), role=role(world))


def revoke_role(world: World) -> Action:
    """A role that somebody has; at odd times another."""
    lei = a_member(world)
    row = world.members.get(lei)
    has = row.roles if row is not None else ()
    return governance.RevokeRole(
        member=lei, role=world.one(has) if has and not world.odd() else role(world)
    )


def remove_account(world: World) -> Action:
    """An account of its member; at odd times of another one."""
    if not world.acting or world.odd():
        return governance.RemoveAccount(member=a_member(world), account=world.somebody())
    address = world.one(list(world.acting))
    return governance.RemoveAccount(member=world.acting[address].member, account=address)


def a_permission(world: World) -> PermissionName:
    """A message that can be reserved; at odd times one that can't."""
    return PermissionName("asset.transfer" if world.odd() else world.one(RESERVABLE))


def grant_permission(world: World) -> Action:
    """A message that a role may send, and from then on nobody else."""
    return governance.GrantPermission(permission=a_permission(world), role=role(world))


def revoke_permission(world: World) -> Action:
    """A permission that a role has; where none has one, some other."""
    held = [(name, one) for name, row in world.permissions.items() for one in row.roles]
    name, one = world.one(held) if held and not world.odd() else (a_permission(world), role(world))
    return governance.RevokePermission(permission=name, role=one)


def open_permission(world: World) -> Action:
    """A message that is for all again; at odd times one that has always been."""
    known = list(world.permissions)
    return governance.OpenPermission(
        permission=world.one(known) if known and not world.odd() else a_permission(world)
    )


def halt(world: World) -> Action:
    """A short halt; at odd times of what can't be halted, or one that is too long."""
    longest = world.machine.parameters[governance.HALT_MS.name]
    duration = longest + 1 if world.odd() else world.one(DURATIONS_MS)
    return governance.Halt(
        module=Name(world.one(("governance", "whims")) if world.odd() else world.one(MODULES)),
        duration_ms=Duration(duration),
    )


def resume(world: World) -> Action:
    """The end of a halt; at odd times of one that there is not."""
    known = [name for name, row in world.halts.items() if row.until > world.time]
    return governance.Resume(
        module=world.one(known) if known and not world.odd() else Name(world.one(MODULES))
    )


ACTIONS: Final[tuple[Callable[[World], Action], ...]] = (
    admit,
    admit,
    suspend,
    suspend,
    lambda world: governance.ReadmitMember(member=a_member(world, "suspended")),
    lambda world: governance.EndMembership(member=a_member(world)),
    grant_role,
    revoke_role,
    lambda world: governance.AddAccount(member=a_member(world), account=free_account(world)),
    remove_account,
    grant_permission,
    revoke_permission,
    open_permission,
    open_permission,
    halt,
    resume,
)
"""How each kind of action is chosen."""
