"""For which members accounts act: what pages write beside an address."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tongbao.console.site import Site
from tongbao.kernel import Address
from tongbao.modules import member
from tongbao.modules.member import Lei, Member
from tongbao.sdk.local import Chain

ACTIVE = "active"


class Acts(NamedTuple):
    """An account acts for this member."""

    lei: Lei
    member: Member

    @property
    def is_active(self) -> bool:
        """Whether the member takes part."""
        return self.member.status == ACTIVE

    def has_role(self, role: str) -> bool:
        """Whether the account may act in a role now."""
        return self.is_active and role in self.member.roles


def acts_for(site: Site, addresses: Iterable[Address]) -> dict[Address, Acts]:
    """Those of some accounts that act for a member, at the height that is being read."""
    if not site.has("member"):
        return {}
    found = ((address, acts_of(site.chain, address)) for address in dict.fromkeys(addresses))
    return {address: acts for address, acts in found if acts is not None}


def acts_of(chain: Chain, address: Address) -> Acts | None:
    """For which member an account acts, on a chain that has members."""
    acting = chain.query(member.acting, address)
    if acting is None:
        return None
    row = chain.query(member.show, acting.member)
    assert row is not None
    return Acts(acting.member, row)
