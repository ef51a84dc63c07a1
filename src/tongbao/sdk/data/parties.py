"""Who a party is, by what the ledger says of its account."""

from __future__ import annotations

from tongbao.kernel import Address
from tongbao.modules import member
from tongbao.rights.receipt import Institution
from tongbao.sdk.client import Client


def institution_of(chain: Client, account: Address) -> Institution | None:
    """The member that an account acts for, as receipts name it; None where it acts for none."""
    acting = chain.query(member.acting, account)
    if acting is None:
        return None
    found = chain.query(member.show, acting.member)
    return None if found is None else Institution(lei=acting.member, name=found.name)
