"""Every row of the table of deviations: who has the money, who has the data, who is at fault."""

from __future__ import annotations

import pytest

from tests.modules.data_steps import DAY_MS, HALT_MS, HOUR_MS, NONCE, PEOPLE, B, Market, hash_of
from tests.modules.member_steps import admitting, lei
from tongbao.kernel import Small, Time
from tongbao.modules import data, member
from tongbao.modules.data import Verdict, Why, data_hash
from tongbao.testing import bob

UPHELD, REJECTED = Verdict("upheld"), Verdict("rejected")
MINUTE_MS = 60_000


@pytest.fixture
def market() -> Market:
    """A market."""
    return Market()


def standing(market: Market) -> tuple[str, str, str]:
    """What the buyer holds, and what owner and agent have earned."""
    return market.held("bob"), market.earned("alice"), market.earned("carol")


def test_never_sealed_cancelled_or_withdrawn_money_is_back(market: Market) -> None:
    """
    Given three orders,
    when nobody seals one, the buyer cancels one, and the owner withdraws one,
    then all money is back and nobody is at fault.
    """
    market.opened()
    market.apply("bob", data.CancelOrder(order=market.opened()))
    market.apply("alice", data.WithdrawOrder(order=market.opened()))
    market.pass_time(HOUR_MS)

    assert standing(market) == ("1000.00", "0.00", "0.00")
    assert [market.lapses(name) for name in ("alice", "bob", "carol")] == [0, 0, 0]


def test_buyer_takes_package_and_a_and_never_confirms(market: Market) -> None:
    """
    Given a sealed order,
    when the buyer does not confirm in time,
    then the money is back, no b is on the ledger, the bond is free, and the lapse is the buyer's.
    """
    order = market.sealed()
    market.pass_time(2 * HOUR_MS)

    assert (standing(market)[0], market.shown(order).b) == ("1000.00", None)
    assert (market.lapses("bob"), market.bond("carol")) == (1, ("100.00", "0.00"))


def test_wrong_a_or_chunk_delivered_is_not_confirmed(market: Market) -> None:
    """
    Given a sealed order whose package turns out to have another root,
    when the buyer confirms what it has,
    then that is refused, and it can cancel with all its money.
    """
    order = market.sealed()
    with market.refuses(Why.SEAL_DIFFERS):
        market.apply("bob", market.confirming(order, grant_hash=hash_of(66)))
    market.apply("bob", data.CancelOrder(order=order))

    assert standing(market) == ("1000.00", "0.00", "0.00")


def test_the_owner_never_reveals(market: Market) -> None:
    """
    Given a confirmed order that the owner has sealed,
    when six hours pass,
    then the money is back, and the fault is counted: so many fewer orders at a time.
    """
    market.confirmed("alice")
    market.pass_time(6 * HOUR_MS)

    assert standing(market) == ("1000.00", "0.00", "0.00")
    assert market.lapses("alice") == 1


def test_the_agent_never_reveals_and_its_bond_pays_the_owner(market: Market) -> None:
    """
    Given a confirmed order that the agent has sealed,
    when it does not reveal in time (it may have leaked b),
    then the buyer has all back, and the agent's bond pays the owner the price.
    """
    market.confirmed()
    market.pass_time(6 * HOUR_MS)

    assert standing(market) == ("1000.00", "20.00", "0.00")
    assert (market.bond("carol"), market.lapses("carol")) == (("80.00", "0.00"), 1)


@pytest.mark.parametrize("again", [False, True])
def test_buyer_suspended_before_reveal_is_nobodys_fault(market: Market, again: bool) -> None:
    """
    Given a confirmed order,
    when the buyer is suspended, and perhaps registered again, before the deadline passes,
    then money is back, and neither owner nor agent is at fault.
    """
    order = market.confirmed()
    market.apply("bank", data.SuspendEnterprise(enterprise=bob))
    with market.refuses(Why.BUYER_IS_NOT_ACTIVE):
        market.apply("carol", data.Reveal(order=order, b=B))
    market.pass_time(5 * HOUR_MS)
    if again:
        market.apply("bank", market.registering())
    market.pass_time(2 * HOUR_MS)

    assert standing(market) == ("1000.00", "0.00", "0.00")
    assert (market.bond("carol"), market.lapses("carol")) == (("100.00", "0.00"), 0)


def test_an_order_frozen_before_reveal_is_nobodys_fault(market: Market) -> None:
    """
    Given a confirmed order that a supervisor freezes,
    when its deadline passes,
    then money is back and the agent's bond is whole.
    """
    order = market.confirmed()
    until = Time(market.time + DAY_MS)
    market.apply("bank", data.Freeze(order=order, until=until, reason=Small(1)))
    market.pass_time(6 * HOUR_MS)

    assert (standing(market)[0], market.bond("carol")) == ("1000.00", ("100.00", "0.00"))


def test_wrong_or_reused_b_strangers_reveal_and_replay_are_refused(market: Market) -> None:
    """
    Given two confirmed orders, with the same b locked in each,
    when another b comes, a stranger has seen the right one, or it comes twice,
    then each is refused: a lock is of its order.
    """
    first, second = market.confirmed(), market.confirmed()
    assert market.shown(first).b_lock != market.shown(second).b_lock
    with market.refuses(Why.LOCK_DOES_NOT_OPEN):
        market.apply("carol", data.Reveal(order=first, b=hash_of(1)))
    with market.refuses(Why.SENDER_DID_NOT_SEAL):
        market.apply("mallory", data.Reveal(order=first, b=B))
    market.apply("carol", data.Reveal(order=first, b=B))
    with market.refuses(Why.ORDER_IS_ELSEWHERE):
        market.apply("carol", data.Reveal(order=first, b=B))


def test_faulty_package_claim_upheld(market: Market) -> None:
    """
    Given a claim,
    when two of the panel uphold it,
    then price and deposit are back, and the agent's bond of 20.00 pays the two voters.
    """
    order = market.claimed()
    market.apply("ann", data.Vote(order=order, verdict=UPHELD))
    market.apply("ben", data.Vote(order=order, verdict=UPHELD))

    assert standing(market) == ("995.00", "0.00", "0.00")
    assert (market.earned("ann"), market.earned("ben")) == ("10.00", "10.00")
    assert (market.bond("carol"), market.earned("cid")) == (("80.00", "0.00"), "0.00")


def test_a_claim_upheld_by_a_supervisor_alone_pays_the_buyer(market: Market) -> None:
    """
    Given a claim on which nobody of the panel votes,
    when a supervisor upholds it after the deadline,
    then the agent's bond is the buyer's to pull, beside what is back.
    """
    order = market.claimed()
    market.pass_time(3 * DAY_MS)
    market.apply("bank", data.Vote(order=order, verdict=UPHELD))

    assert (market.held("bob"), market.earned("bob")) == ("995.00", "20.00")


def test_false_or_forged_claim(market: Market) -> None:
    """
    Given a claim,
    when the panel rejects it, the third by a majority,
    then the owner is paid, and the three voters share the deposit, the first with the cent left.
    """
    order = market.claimed()
    for name, verdict in zip(PEOPLE[1:], (UPHELD, REJECTED, REJECTED), strict=True):
        market.apply(name, data.Vote(order=order, verdict=verdict))

    assert standing(market) == ("965.00", "19.00", "1.00")
    earned = sorted(market.earned(name) for name in PEOPLE[1:])
    assert earned == ["3.33", "3.33", "3.34"]


def test_buyer_silent_after_reveal_pays_the_owner_at_24_hours(market: Market) -> None:
    """
    Given a revealed order,
    when the buyer says nothing for a day,
    then the owner is paid in the block of that time, and pulls it.
    """
    order = market.revealed()
    market.pass_time(DAY_MS)

    assert (market.shown(order).phase, standing(market)) == ("settled", ("975.00", "19.00", "1.00"))
    market.apply("alice", data.Pull(asset=market.shown(order).asset))
    assert (market.held("alice"), market.earned("alice")) == ("1019.00", "0.00")
    with market.refuses(Why.NOTHING_IS_EARNED):
        market.apply("alice", data.Pull(asset=market.shown(order).asset))


def test_an_onlooker_with_ledger_and_package_has_nothing_of_a(market: Market) -> None:
    """
    Given a settled order,
    when its row is read,
    then it holds b and hashes, and neither a nor anything but its salted commitment.
    """
    order = market.revealed()
    row = market.shown(order)

    assert row.a_commit == data_hash("a", bytes.fromhex(order), bytes.fromhex("aa" * 32)).hex()
    assert "aa" * 32 not in str(row)


def test_lapses_limit_the_orders_under_way() -> None:
    """
    Given parties that may have two orders at a time,
    when a buyer has let one lapse after its seal,
    then it may have one; and an agent or owner is limited in the same way.
    """
    market = Market({"data.orders_limit": 2})
    market.sealed()
    market.pass_time(2 * HOUR_MS)
    market.opened()
    with market.refuses(Why.TOO_MANY_ORDERS):
        market.apply("bob", market.ordering())


def gap(market: Market, ms: int) -> None:
    """No block for a time, though one was asked for; then one."""
    market.advance(ms)
    market.block()


def test_deadlines_grow_by_a_halt_of_the_network(market: Market) -> None:
    """
    Given a confirmed order with six hours to reveal,
    when no block comes for five hours and then blocks go on for two,
    then it has not lapsed, and b is revealed; an hour is still left of the deadline then.
    """
    order = market.confirmed()
    gap(market, 5 * HOUR_MS)
    market.pass_time(2 * HOUR_MS)
    market.apply("carol", data.Reveal(order=order, b=B))

    assert market.shown(order).phase == "revealed"


def test_the_first_block_after_a_halt_takes_the_message(market: Market) -> None:
    """
    Given a confirmed order,
    when the network stands still beyond the deadline and its first block has the reveal,
    then it is applied: the sweep of that block has made the deadline grow.
    """
    order = market.confirmed()
    market.advance(20 * HOUR_MS)
    market.apply("carol", data.Reveal(order=order, b=B))

    assert market.shown(order).phase == "revealed"


def test_idle_is_not_taken_for_halted(market: Market) -> None:
    """
    Given a network with nothing to do but one order,
    when it makes the blocks that are asked for,
    then one is asked for each half threshold, no deadline grows, and none when no order is left.
    """
    order = market.opened()
    due = market.machine.next_due()
    assert due is not None and due - market.machine.time <= HALT_MS // 2
    market.pass_time(HOUR_MS - MINUTE_MS)
    clock = data.clock(market.view(data.module))
    assert clock is not None and clock.grown == 0
    market.apply("bob", data.CancelOrder(order=order))
    later = market.machine.next_due()
    assert later is None or later > market.machine.time + HALT_MS


def test_a_licence_is_not_lost_to_a_halt(market: Market) -> None:
    """
    Given a licence until ten days after its order, and a network that stands still then for a day,
    when its first block comes,
    then the buyer has a day more, and attests.
    """
    market.apply("bob", data.Accept(order=market.revealed()))
    gap(market, 11 * DAY_MS)
    market.apply("bob", data.AttestDeletion(licence=market.licence, attestation_hash=B))

    assert market.held("bob") == "980.00"


def test_a_panel_has_no_conflict_and_nobody_chose_it(market: Market) -> None:
    """
    Given four adjudicators, one of whom is of the same member as the buyer,
    when a claim is made,
    then the panel is the other three, in the order of the hash of b and the buyer's nonce.
    """
    dan = market.open_account("dan")
    market.decide(admitting(lei(9), (dan, bob), (member.ADJUDICATOR,)))
    market.apply("dan", data.Serve(serves=True))
    order = market.claimed()
    found = market.shown(order)
    parts = bytes.fromhex(order), bytes.fromhex(B), bytes.fromhex(NONCE)
    drawn = sorted(found.panel, key=lambda one: data_hash("panel", *parts, bytes.fromhex(one)))

    assert (list(found.panel), dan in found.panel) == (drawn, False)
