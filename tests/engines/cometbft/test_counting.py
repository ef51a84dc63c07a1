"""Quotas in a network's node: what a mempool holds together, and who is offered when."""

from __future__ import annotations

from typing import cast

import pytest

from tests.engines.cometbft.following import Node
from tests.fixed_chain import BEGIN, FixedChain
from tests.sponsored_chain import Sponsored, SponsoredChain
from tongbao.engines.cometbft.messages import CheckTxType
from tongbao.engines.cometbft.tickets import Tickets
from tongbao.engines.payers_here import PayersHere
from tongbao.engines.solo import Answer, Busy, EngineStopped, Ticket
from tongbao.kernel import Outcome, Time
from tongbao.kernel.reasons import Invalid
from tongbao.modules.registry import registry

CLOCK = BEGIN + 2_000
ACCOUNTS = tuple(f"evader {number}" for number in range(20))
SPENT = Invalid.ALLOWANCE_IS_SPENT.number


def node_of(chain: SponsoredChain) -> Node:
    """A node that has followed a chain with quotas."""
    return Node(cast(FixedChain, chain), registry(), CLOCK)


def test_a_mempool_takes_as_many_as_its_payer_has_tokens() -> None:
    """
    Given a sponsor with five tokens, on a node that has no front before it,
    when CometBFT asks about eight payments of its two accounts, and one of another sponsor's,
    then five and that one are taken, and each of the others is refused for the allowance.
    """
    chain = SponsoredChain({"bank": Sponsored(5, 1, ("a", "b")), "other": Sponsored(5, 1, ("c",))})
    node = node_of(chain)
    assert node.check(*map(chain.pay, "abababab")) == [0] * 5 + [SPENT] * 3
    assert node.check(chain.pay("c")) == [0]


def test_behind_a_block_what_is_still_there_is_counted_anew() -> None:
    """
    Given five payments in a mempool that have taken all tokens of their sponsor,
    when a block has two of them, and the rest is asked about again, and then about one more,
    then the rest stays, and the new one is refused.
    """
    chain = SponsoredChain({"bank": Sponsored(5, 1, ("a", "b"))})
    node = node_of(chain)
    wires = [chain.pay("a") for _ in range(5)]
    assert node.check(*wires) == [0] * 5
    chain.make(*wires[:2])
    node.follow()
    assert node.check(*wires[2:], kind=CheckTxType.RECHECK) == [0] * 3
    assert node.check(chain.pay("a")) == [SPENT]


def test_tokens_flow_in_on_a_network_that_rests() -> None:
    """
    Given a sponsor with no token left, on a network that makes no blocks as nobody sends anything,
    when its account sends, is refused, and sends the same again when there is a token,
    then that is taken, and one more is refused; and that too is taken if no block comes for long.
    """
    chain = SponsoredChain({"bank": Sponsored(2, 2, ("a",))})
    chain.make(chain.pay("a"), chain.pay("a"))
    node = node_of(chain)
    node.clock = chain.machine.time + 1_000
    first, second = chain.pay("a"), chain.pay("a")
    assert node.check(first, second) == [SPENT, SPENT]
    node.clock += 30_000
    assert node.check(first, second) == [0, SPENT]
    node.clock += 30_000
    assert node.check(second) == [0]


def test_many_accounts_of_one_sponsor_are_offered_by_turns_with_one_of_another() -> None:
    """
    Given a sponsor whose twenty accounts have filled a node's queue, all of them known,
    when the single account of another sends five,
    then, behind what stood in order, every other one that is offered is its own.
    """
    chain = SponsoredChain(
        {"many": Sponsored(9_999, 99, ACCOUNTS), "one": Sponsored(999, 99, ("honest",))}
    )
    payers = PayersHere(chain.machine)
    tickets = Tickets(200, 1, payers, lambda: Time(CLOCK))
    known = [Ticket(chain.machine.parse(chain.pay(name))) for name in (*ACCOUNTS, "honest")]
    made = chain.make(*[ticket.transaction.wire for ticket in known])
    senders = [chain.address(name) for name in (*ACCOUNTS, "honest")]
    for ticket in known:
        ticket.answer(Answer(ticket.transaction.id, made.height, 0, Outcome.APPLIED, 0, b""))
    payers.answered(known)
    payers.learn(payers.news(chain.machine, made, senders).items())

    def flood() -> None:
        for number in range(400):
            tickets.put(chain.machine.parse(chain.pay(ACCOUNTS[number % len(ACCOUNTS)])))

    with pytest.raises(Busy):
        flood()
    for _ in range(5):
        tickets.put(chain.machine.parse(chain.pay("honest")))
    found = []
    while tickets.has_next:
        [ticket] = tickets.take(1)
        found.append(ticket.transaction.payload.sender == chain.address("honest"))
        tickets.answer([(ticket.transaction.wire, EngineStopped("answered"))])
    assert found[:100] == [False] * 100
    assert found[100:110] == [False, True] * 5
