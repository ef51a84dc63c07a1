"""What the ledger keeps of members, why it refuses. Wire format: append, never renumber.

Nobody sends a message of this module: governance decides, by actions of its proposals, or genesis.
"""

from typing import Annotated, Final, NewType

from msgspec import Meta

from tongbao.kernel import Address, Reason, Record, Value
from tongbao.kernel.identifiers import ROLE_NAME, ROLES_LIMIT

ACCOUNTS_LIMIT: Final = 16
FIRST_MEMBERS_LIMIT: Final = 1_000
FIRST_PERMISSIONS_LIMIT: Final = 1_000

Lei = NewType("Lei", Annotated[str, Meta(pattern=r"^[A-Z0-9]{18}[0-9]{2}\Z")])
"""A Legal Entity Identifier (ISO 17442-1): 18 characters and two check digits."""

MemberName = NewType(
    "MemberName", Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9 .,&'()/+-]{0,139}\Z")]
)
"""The name of an institution as its register writes it, in ASCII (ISO 20022 Max140Text)."""

Role = NewType("Role", Annotated[str, Meta(pattern=ROLE_NAME)])
"""The name of a role that a module of the chain declares."""

PermissionName = NewType(
    "PermissionName",
    Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,47}[.][a-z][a-z0-9_]{0,47}\Z")],
)
"""The wire name of the message that a permission is for: `asset.define`."""

MemberStatus = NewType(
    "MemberStatus", Annotated[str, Meta(pattern=r"^(?:active|suspended|left)\Z")]
)
"""Whether a member takes part: suspended, it may come back; one that has left is admitted anew."""

Roles = Annotated[tuple[Role, ...], Meta(max_length=ROLES_LIMIT)]
"""Roles in the order of their names, each once."""

Accounts = Annotated[tuple[Address, ...], Meta(max_length=ACCOUNTS_LIMIT)]
"""Accounts that act for one member."""


class Member(Record, version=1):
    """An institution of the consortium; its row stays when it has left."""

    name: MemberName
    status: MemberStatus
    roles: Roles = ()


class Acting(Record, version=1):
    """For which member an account acts."""

    member: Lei


class Permission(Record, version=1):
    """The roles whose accounts may send a message; without a row anybody may."""

    roles: Roles = ()


class FirstMember(Value):
    """A member of the first block."""

    lei: Lei
    name: MemberName
    accounts: Accounts = ()
    roles: Roles = ()


class FirstPermission(Value):
    """A message that is reserved from the first block on; for nobody where no role is named."""

    permission: PermissionName
    roles: Roles = ()


class Start(Value):
    """The members of the first block, and what is reserved then.

    Their accounts are those that genesis opens, in a section before this one.
    """

    members: Annotated[tuple[FirstMember, ...], Meta(max_length=FIRST_MEMBERS_LIMIT)] = ()
    permissions: Annotated[
        tuple[FirstPermission, ...], Meta(max_length=FIRST_PERMISSIONS_LIMIT)
    ] = ()


class Why(Reason):
    """Every refusal of this module."""

    LEI_IS_WRONG = 1, "an LEI ends with its check digits (ISO 17442-1, ISO/IEC 7064 MOD 97-10)"
    MEMBER_IS_ADMITTED = 2, "a member is admitted once, and anew when it has left"
    MEMBER_NOT_FOUND = 3, "a member has this LEI, and has not left"
    MEMBER_IS_NOT_ACTIVE = 4, "a member is suspended, and given accounts and roles, while active"
    MEMBER_IS_NOT_SUSPENDED = 5, "only a suspended member is readmitted"
    ROLE_IS_UNKNOWN = 6, "a role is one that a module of this chain declares"
    ROLE_IS_HELD = 7, "a role is granted to a member once"
    ROLE_IS_NOT_HELD = 8, "only a role that a member has can be revoked"
    ACCOUNT_NOT_FOUND = 9, "an open account acts for a member"
    ACCOUNT_ACTS_ALREADY = 10, "an account acts for one member"
    ACCOUNT_DOES_NOT_ACT = 11, "only an account that acts for the member can be removed from it"
    TOO_MANY_ACCOUNTS = 12, "at most 16 accounts act for a member"
    PERMISSION_IS_UNKNOWN = 13, "a permission is the name of a message that can be reserved"
    PERMISSION_IS_GRANTED = 14, "a permission is granted to a role once"
    PERMISSION_IS_NOT_GRANTED = 15, "only a permission that a role has can be revoked from it"
    PERMISSION_IS_OPEN = 16, "only a message that is reserved can be opened to all again"
    SENDER_HAS_NO_PERMISSION = 17, "a reserved message is sent for a member with a role that may"
