"""The module, its rows and the roles that it declares."""

from typing import Final

from tongbao.kernel import Address, Module
from tongbao.modules import account
from tongbao.modules.member.messages import (
    Acting,
    Lei,
    Member,
    MemberStatus,
    Permission,
    PermissionName,
    Why,
)

ACTIVE: Final = MemberStatus("active")
SUSPENDED: Final = MemberStatus("suspended")
LEFT: Final = MemberStatus("left")

module = Module(5, "member", uses=(account.module,), reasons=Why)

OPERATOR: Final = module.role("operator", "runs the network's nodes and decides on it")
ISSUER: Final = module.role("issuer", "issues assets")
SUPERVISOR: Final = module.role("supervisor", "watches over others by law, and may stop value")
IDENTITY_AUTHORITY: Final = module.role("identity_authority", "says who somebody is")
DATA_SOURCE: Final = module.role("data_source", "brings facts of the world on the ledger")
ADJUDICATOR: Final = module.role("adjudicator", "decides disputes")

members = module.table(1, key=Lei, value=Member)
acting_accounts = module.table(2, key=Address, value=Acting)
permissions = module.table(3, key=PermissionName, value=Permission)
by_member = module.index(4, of=acting_accounts, by=lambda acting: acting.member)
members_in_order = module.index(5, of=members, by=lambda member: 0)
permissions_in_order = module.index(6, of=permissions, by=lambda permission: 0)
