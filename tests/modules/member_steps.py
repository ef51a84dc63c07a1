"""Members of a chain that is governed, and what they are called."""

from __future__ import annotations

from tongbao.kernel import Address
from tongbao.modules import member
from tongbao.modules.governance import AdmitMember
from tongbao.modules.member import Lei, Member, MemberName, Role
from tongbao.testing import Chain


def lei(place: int) -> Lei:
    """The identifier of the institution of a number, with its check digits."""
    base = f"TONG00{place:012d}"
    return Lei(base + member.check_digits_of(base))


FIRST, SECOND, THIRD = (lei(place) for place in range(3))
FIRST_BANK = MemberName("First Bank Ltd.")


def admitting(
    which: Lei = FIRST,
    accounts: tuple[Address, ...] = (),
    roles: tuple[str, ...] = (),
    name: str = FIRST_BANK,
) -> AdmitMember:
    """The action that admits a member."""
    return AdmitMember(
        member=which, name=MemberName(name), accounts=accounts, roles=tuple(map(Role, roles))
    )


def shown(chain: Chain, which: Lei = FIRST) -> Member | None:
    """A member as it is."""
    return member.show(chain.view(member.module), which)


def acts_with(chain: Chain, address: Address, role: str) -> bool:
    """Whether an account acts for an active member with a role."""
    return member.has_role(chain.view(member.module), address, role)
