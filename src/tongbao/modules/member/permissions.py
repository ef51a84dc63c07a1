"""Permissions: which roles may send a message that the chain has reserved."""

from tongbao.kernel import Address, Cursor, Page, View, Work, require
from tongbao.modules.member.messages import Permission, PermissionName, Role, Why
from tongbao.modules.member.tables import (
    ACTIVE,
    acting_accounts,
    members,
    module,
    permissions,
    permissions_in_order,
)


@module.permits
def may_send(view: View, sender: Address, wire_name: str) -> None:
    """Refuse a reserved message of an account that acts for no active member with such a role.

    The kernel asks this before the handler of each message that declares `permission=True`: it is
    the one place where a permission is checked.
    """
    asked = view[permissions].get(PermissionName(wire_name))
    if asked is None:
        return
    acts = view[acting_accounts].get(sender)
    found = None if acts is None else view[members].get(acts.member)
    has_one = (
        found is not None
        and found.status == ACTIVE
        and not set(found.roles).isdisjoint(asked.roles)
    )
    require(has_one, Why.SENDER_HAS_NO_PERMISSION)


def reserve(ctx: Work, name: PermissionName) -> Permission:
    """The permission of a message, which nobody has where it was open to all until now."""
    require(ctx.is_reservable(name), Why.PERMISSION_IS_UNKNOWN)
    found = ctx[permissions].get(name)
    if found is None:
        found = ctx[permissions][name] = Permission()
    return found


@module.function
def grant_permission(ctx: Work, name: PermissionName, role: Role) -> None:
    """Let accounts of a role send a message; the first grant reserves it, and nobody else may."""
    found = reserve(ctx, name)
    require(role in ctx.roles, Why.ROLE_IS_UNKNOWN)
    require(role not in found.roles, Why.PERMISSION_IS_GRANTED)

    # From here it succeeds.
    ctx[permissions][name] = Permission(roles=tuple(sorted((*found.roles, role))))


@module.function
def revoke_permission(ctx: Work, name: PermissionName, role: Role) -> None:
    """Take a permission from a role; when the last has lost it nobody may, until it is opened."""
    found = ctx[permissions].one(name, Why.PERMISSION_IS_NOT_GRANTED)
    require(role in found.roles, Why.PERMISSION_IS_NOT_GRANTED)

    # From here it succeeds.
    left = tuple(other for other in found.roles if other != role)
    ctx[permissions][name] = Permission(roles=left)


@module.function
def open_permission(ctx: Work, name: PermissionName) -> None:
    """Let everybody send a message again, as before it was reserved."""
    require(name in ctx[permissions], Why.PERMISSION_IS_OPEN)

    # From here it succeeds.
    del ctx[permissions][name]


@module.query
def permission(view: View, name: PermissionName) -> Permission | None:
    """The roles that may send a message; nothing where everybody may."""
    return view[permissions].get(name)


@module.query
def reserved(view: View, after: Cursor | None = None) -> Page[PermissionName, Permission]:
    """The messages that are reserved, in the order of their names, a page at a time."""
    return view.page(permissions_in_order, 0, after)
