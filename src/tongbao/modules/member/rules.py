"""How members come, go and get roles, and who acts for them; governance asks who decides it."""

from typing import NamedTuple

from msgspec.structs import replace

from tongbao.kernel import Address, Audit, Cursor, Page, View, Work, require
from tongbao.modules import account
from tongbao.modules.account import Closing
from tongbao.modules.member.lei import is_lei
from tongbao.modules.member.messages import (
    ACCOUNTS_LIMIT,
    Acting,
    FirstMember,
    Lei,
    Member,
    Role,
    Start,
    Why,
)
from tongbao.modules.member.permissions import grant_permission, reserve
from tongbao.modules.member.tables import (
    ACTIVE,
    LEFT,
    SUSPENDED,
    acting_accounts,
    by_member,
    members,
    members_in_order,
    module,
)


@module.genesis
def begin(ctx: Work, start: Start) -> None:
    """Admit the first members, and reserve messages."""
    for first in start.members:
        admit(ctx, first)
    for asked in start.permissions:
        reserve(ctx, asked.permission)
        for role in asked.roles:
            grant_permission(ctx, asked.permission, role)


# Members


def known(ctx: View, lei: Lei) -> Member:
    """A member that has not left."""
    found = ctx[members].one(lei, Why.MEMBER_NOT_FOUND)
    require(found.status != LEFT, Why.MEMBER_NOT_FOUND)
    return found


def active(ctx: View, lei: Lei) -> Member:
    """A member that takes part."""
    found = known(ctx, lei)
    require(found.status == ACTIVE, Why.MEMBER_IS_NOT_ACTIVE)
    return found


@module.function
def admit(ctx: Work, first: FirstMember) -> None:
    """Let an institution take part, with its accounts and roles.

    One that had left begins anew: nobody acts for it any more who did before.
    """
    require(is_lei(first.lei), Why.LEI_IS_WRONG)
    before = ctx[members].get(first.lei)
    require(before is None or before.status == LEFT, Why.MEMBER_IS_ADMITTED)
    ctx[members][first.lei] = Member(name=first.name, status=ACTIVE)
    for address, _ in ctx.page(by_member, first.lei, None).rows:
        del ctx[acting_accounts][address]
    for address in first.accounts:
        add_account(ctx, first.lei, address)
    for role in first.roles:
        grant_role(ctx, first.lei, role)


@module.function
def suspend(ctx: Work, lei: Lei) -> None:
    """Let a member take part no more, until it is readmitted."""
    found = active(ctx, lei)

    # From here it succeeds.
    ctx[members][lei] = replace(found, status=SUSPENDED)


@module.function
def readmit(ctx: Work, lei: Lei) -> None:
    """Let a suspended member take part again, with the accounts and roles that it had."""
    found = known(ctx, lei)
    require(found.status == SUSPENDED, Why.MEMBER_IS_NOT_SUSPENDED)

    # From here it succeeds.
    ctx[members][lei] = replace(found, status=ACTIVE)


@module.function
def end(ctx: Work, lei: Lei) -> tuple[Address, ...]:
    """A member has left, and has no roles; the accounts that acted for it, which stay its own."""
    found = known(ctx, lei)

    # From here it succeeds.
    ctx[members][lei] = replace(found, status=LEFT, roles=())
    return tuple(address for address, _ in ctx.page(by_member, lei, None).rows)


# Roles


@module.function
def grant_role(ctx: Work, lei: Lei, role: Role) -> None:
    """Give an active member one more role."""
    found = active(ctx, lei)
    require(role in ctx.roles, Why.ROLE_IS_UNKNOWN)
    require(role not in found.roles, Why.ROLE_IS_HELD)

    # From here it succeeds.
    ctx[members][lei] = replace(found, roles=tuple(sorted((*found.roles, role))))


@module.function
def revoke_role(ctx: Work, lei: Lei, role: Role) -> None:
    """Take a role from a member, suspended or not."""
    found = known(ctx, lei)
    require(role in found.roles, Why.ROLE_IS_NOT_HELD)

    # From here it succeeds.
    ctx[members][lei] = replace(found, roles=tuple(name for name in found.roles if name != role))


# Accounts


@module.function
def add_account(ctx: Work, lei: Lei, address: Address) -> None:
    """Let an open account act for an active member."""
    active(ctx, lei)
    require(account.is_open(ctx, address), Why.ACCOUNT_NOT_FOUND)
    acts = ctx[acting_accounts].get(address)
    other = None if acts is None else ctx[members].get(acts.member)
    require(other is None or (other.status == LEFT), Why.ACCOUNT_ACTS_ALREADY)
    own = ctx.page(by_member, lei, None, limit=ACCOUNTS_LIMIT).rows
    require(len(own) < ACCOUNTS_LIMIT, Why.TOO_MANY_ACCOUNTS)

    # From here it succeeds.
    ctx[acting_accounts][address] = Acting(member=lei)


@module.function
def remove_account(ctx: Work, lei: Lei, address: Address) -> None:
    """Let an account act no more for a member that is active.

    One of a suspended member would be silenced no longer, so it stays.
    """
    active(ctx, lei)
    acts = ctx[acting_accounts].get(address)
    require(acts is not None and acts.member == lei, Why.ACCOUNT_DOES_NOT_ACT)

    # From here it succeeds.
    del ctx[acting_accounts][address]


@module.hears(account.closing)
def forget_closed(ctx: Work, said: Closing) -> None:
    """A closed account signs nothing, so it acts for nobody."""
    if said.account in ctx[acting_accounts]:
        del ctx[acting_accounts][said.account]


# Questions of other modules


@module.function
def member_of(ctx: View, address: Address) -> Lei | None:
    """The member for which an account acts, whatever its status; None where it acts for none."""
    acts = ctx[acting_accounts].get(address)
    return None if acts is None else acts.member


class Standing(NamedTuple):
    """The member of an account, and whether it is active."""

    member: Lei
    is_active: bool


@module.function
def has_role(ctx: View, address: Address, role: str) -> bool:
    """Whether an account acts for an active member that has the role."""
    acts = ctx[acting_accounts].get(address)
    if acts is None:
        return False
    found = ctx[members].get(acts.member)
    assert found is not None
    return found.status == ACTIVE and role in found.roles


@module.function
def standing(ctx: View, address: Address) -> Standing | None:
    """For which member an account acts, and whether that takes part; None where for none."""
    acts = ctx[acting_accounts].get(address)
    if acts is None:
        return None
    found = ctx[members].get(acts.member)
    assert found is not None
    return Standing(acts.member, found.status == ACTIVE)


# Questions of clients


@module.query
def show(view: View, lei: Lei) -> Member | None:
    """One member, also one that has left."""
    return view[members].get(lei)


@module.query
def listed(view: View, after: Cursor | None = None) -> Page[Lei, Member]:
    """Members in the order of their LEIs, those that have left too, a page at a time."""
    return view.page(members_in_order, 0, after)


@module.query
def acting(view: View, account: Address) -> Acting | None:
    """For which member an account acts; nothing where it acts for none."""
    return view[acting_accounts].get(account)


@module.query
def accounts(view: View, lei: Lei, after: Cursor | None = None) -> Page[Address, Acting]:
    """The accounts that act for a member, or acted for it when it left, a page at a time."""
    return view.page(by_member, lei, after)


# What is always true


@module.invariant
def members_are_identified(view: Audit) -> bool:
    """Each member has an LEI whose check digits are right, and roles in order, each once."""
    return all(
        is_lei(lei)
        and list(row.roles) == sorted(set(row.roles))
        and not (row.status == LEFT and row.roles)
        for lei, row in view[members].items()
    )


@module.invariant
def accounts_act_for_members(view: Audit) -> bool:
    """Each acting account is open and acts for a member, and at most 16 act for one."""
    counted: dict[Lei, int] = {}
    for address, row in view[acting_accounts].items():
        counted[row.member] = counted.get(row.member, 0) + 1
        if row.member not in view[members] or not account.is_open(view, address):
            return False
    return all(count <= ACCOUNTS_LIMIT for count in counted.values())
