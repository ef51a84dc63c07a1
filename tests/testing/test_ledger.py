"""A ledger in memory reads the same however late its backing is, and after it has begun anew."""

from __future__ import annotations

import pytest

from tongbao.kernel import Amount
from tongbao.modules import asset
from tongbao.testing import CNY, Chain, bob
from tongbao.testing.ledger import Ledger


@pytest.mark.parametrize("flush_every", [1, 2, 100])
def test_a_ledger_is_the_same_however_late_it_flushes(flush_every: int) -> None:
    """
    Given the blocks of a chain,
    when they are played on a ledger that flushes often, seldom or never, and begins anew,
    then its rows and root are the chain's.
    """
    chain = Chain(funded=False)
    other = Ledger(chain.machine.registry, chain.ledger.genesis, flush_every)

    def play(*wires: bytes) -> None:
        decided = chain.block(*wires)
        again = other.machine.apply(other.block(decided.time, wires))
        assert again == decided
        other.commit(again)
        other.check()

    payment = asset.Transfer(asset=CNY, amount=Amount("1.00"), payee=bob)
    play(chain.sign("alice", payment))
    play()
    other.restart()
    other.check()
    play(chain.sign("alice", payment), chain.sign("carol", payment))

    assert other.live.rows == chain.ledger.live.rows
    assert other.machine.state_root == chain.machine.state_root
