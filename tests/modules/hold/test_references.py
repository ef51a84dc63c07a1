"""Holds carry no reference, so there are none for those who ask for one."""

from __future__ import annotations

from tongbao.kernel import Amount
from tongbao.modules import account
from tongbao.modules.hold import Place, Why
from tongbao.testing import CNY, Chain, bob


def test_no_hold_for_who_asks_for_references(chain: Chain) -> None:
    """
    Given bob, who asks for a reference with every payment,
    when alice places a hold for him,
    then it is refused: what he captured would have none.
    """
    chain.apply("bob", account.SetIncoming(needs_reference=True))
    place = Place(payee=bob, asset=CNY, amount=Amount("1.00"), expires_at=chain.in_days(1))

    with chain.refuses(Why.PAYEE_NEEDS_REFERENCE):
        chain.apply("alice", place)
