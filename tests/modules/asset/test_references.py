"""A payee may ask that every payment carries a reference."""

from __future__ import annotations

from tongbao.kernel import Amount, Reference
from tongbao.modules import account, asset
from tongbao.modules.account import Incoming, SetIncoming
from tongbao.modules.asset import Transfer, Why
from tongbao.testing import CNY, Chain, alice, bob


def paying(reference: str | None = None) -> Transfer:
    """A payment of 1.00 to bob."""
    why = None if reference is None else Reference(reference)
    return Transfer(asset=CNY, amount=Amount("1.00"), payee=bob, reference=why)


def test_payments_carry_a_reference_where_the_payee_asks_for_one(chain: Chain) -> None:
    """
    Given bob, whose customers forget to say which bill they pay, and who asks for references,
    when alice pays without one and with one, and again without after he no longer asks,
    then the first is refused, and everybody can see beforehand what he asks for.
    """
    chain.apply("bob", SetIncoming(needs_reference=True))
    assert account.incoming_of(chain.view(account.module), bob) == Incoming()

    with chain.refuses(Why.REFERENCE_IS_MISSING):
        chain.apply("alice", paying())
    chain.apply("alice", paying("bill-7"))
    for _ in range(2):
        chain.apply("bob", SetIncoming())
    chain.apply("alice", paying())

    assert account.incoming_of(chain.view(account.module), bob) is None
    held = asset.balance(chain.view(asset.module), bob, CNY)
    assert held is not None and str(held.amount) == "1002.00"


def test_an_issuer_needs_none_beyond_its_own(chain: Chain) -> None:
    """
    Given alice, who asks for references,
    when the bank issues to her,
    then that has one by itself.
    """
    chain.apply("alice", SetIncoming(needs_reference=True))
    why = Reference("cash-2")
    chain.apply("bank", asset.Issue(asset=CNY, amount=Amount("1.00"), payee=alice, reference=why))

    held = asset.balance(chain.view(asset.module), alice, CNY)
    assert held is not None and str(held.amount) == "1001.00"
