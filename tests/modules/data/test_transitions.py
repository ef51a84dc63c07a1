"""Every row of the transition table: who may move an order, from where, to where, until when."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.modules.data_steps import (
    DAY_MS,
    HOUR_MS,
    NONCE,
    PEOPLE,
    B,
    Market,
    hash_of,
)
from tongbao.kernel import Amount, Id, Message, Reason, Small, Time
from tongbao.modules import data
from tongbao.modules.data import Verdict, Why
from tongbao.testing import carol

NOWHERE = Id("cd" * 20)
UPHELD, REJECTED = Verdict("upheld"), Verdict("rejected")


@pytest.fixture
def market() -> Market:
    """A market."""
    return Market()


def test_order_takes_price_and_bond_and_is_open(market: Market) -> None:
    """
    Given bob with 1000.00,
    when he orders for 20.00 with a deletion bond of 5.00,
    then both are the vault's, and the order is open until `seal_by`.
    """
    order = market.opened()

    found = market.shown(order)
    assert str(found.phase) == "open"
    assert (str(found.price), str(found.deletion_bond)) == ("20.00", "5.00")
    assert market.held("bob") == "975.00"


def test_seal_by_the_agent_reserves_its_bond_to_the_end(market: Market) -> None:
    """
    Given an open order and carol, whose bond is 100.00,
    when she seals it,
    then 20.00 of the bond are reserved, and the buyer has an hour and a minute to confirm.
    """
    order = market.opened()
    at = market.time
    market.apply("carol", market.sealing(order))

    found = market.shown(order)
    assert (found.phase, found.seller, found.deadline) == ("sealed", carol, at + HOUR_MS + 60_000)
    assert market.bond("carol") == ("100.00", "20.00")


def test_seal_of_a_small_order_reserves_ten(market: Market) -> None:
    """
    Given two orders for 8.00, and an offer whose floor is 5.00,
    when the agent seals one and the owner seals the other,
    then the agent's bond has 10.00 reserved, and the owner posts none.
    """
    market.offer = market.must(market.apply("alice", market.offering(floor=Amount("5.00"))))
    market.sealed(price=Amount("8.00"))
    market.sealed("alice", price=Amount("8.00"))

    assert market.bond("carol") == ("100.00", "10.00")


def test_confirm_begins_six_hours(market: Market) -> None:
    """
    Given a sealed order,
    when the buyer confirms what was sealed,
    then whoever sealed has six hours to reveal.
    """
    order = market.sealed()
    at = market.time
    market.apply("bob", market.confirming(order))

    found = market.shown(order)
    assert (found.phase, found.deadline, found.nonce) == ("confirmed", at + 6 * HOUR_MS, NONCE)


def test_reveal_keeps_b_and_moves_the_bond_to_a_licence(market: Market) -> None:
    """
    Given a confirmed order,
    when the agent reveals b,
    then b is kept, the buyer has a licence with the deletion bond, and a day to claim.
    """
    order = market.confirmed()
    at = market.time
    licence = market.must(market.apply("carol", data.Reveal(order=order, b=B)))

    found = market.shown(order)
    kept = data.licence(market.view(data.module), licence)
    assert (found.phase, found.b, found.deadline) == ("revealed", B, at + DAY_MS)
    assert kept is not None and kept.bond == 500


def test_accept_pays_the_owner_at_once(market: Market) -> None:
    """
    Given a revealed order,
    when the buyer accepts,
    then the owner has earned the price less the fee, the agent the fee, and the bond is free.
    """
    order = market.revealed()
    market.apply("bob", data.Accept(order=order))

    assert market.shown(order).phase == "settled"
    assert (market.earned("alice"), market.earned("carol")) == ("19.00", "1.00")
    assert market.bond("carol") == ("100.00", "0.00")


def test_claim_takes_a_deposit_and_calls_a_panel(market: Market) -> None:
    """
    Given a revealed order,
    when the buyer claims,
    then 10.00 are his deposit, and three adjudicators have three days.
    """
    order = market.claimed()

    found = market.shown(order)
    assert (str(found.phase), str(found.deposit)) == ("claimed", "10.00")
    assert sorted(found.panel) == sorted(market.address(name) for name in PEOPLE[1:])


@pytest.mark.parametrize("verdict", [UPHELD, REJECTED])
def test_two_equal_votes_decide(market: Market, verdict: Verdict) -> None:
    """
    Given a claim,
    when one of the panel says otherwise and two say the same,
    then the second of these decides.
    """
    order = market.claimed()
    other = UPHELD if verdict == REJECTED else REJECTED
    market.apply("ann", data.Vote(order=order, verdict=other))
    market.apply("ben", data.Vote(order=order, verdict=verdict))
    assert market.shown(order).phase == "claimed"
    market.apply("cid", data.Vote(order=order, verdict=verdict))

    assert str(market.shown(order).phase) == verdict


def test_after_the_deadline_one_supervisor_decides(market: Market) -> None:
    """
    Given a claim on which one of the panel has voted in three days,
    when the panel votes, then a supervisor,
    then the panel is refused, no money had moved by silence, and the supervisor decides.
    """
    order = market.claimed()
    market.apply("ann", data.Vote(order=order, verdict=UPHELD))
    market.pass_time(3 * DAY_MS)
    assert (market.shown(order).phase, market.earned("alice")) == ("claimed", "0.00")

    with market.refuses(Why.SENDER_IS_NOT_ON_PANEL):
        market.apply("ben", data.Vote(order=order, verdict=UPHELD))
    market.apply("bank", data.Vote(order=order, verdict=REJECTED))

    assert (market.shown(order).phase, market.earned("ann")) == ("rejected", "10.00")


@pytest.mark.parametrize("state", [Market.opened, Market.sealed])
def test_cancel_gives_all_back(market: Market, state: Callable[[Market], Id]) -> None:
    """
    Given an order that is open, or sealed,
    when the buyer cancels it,
    then all is back, and nothing of a bond is reserved.
    """
    order = state(market)
    market.apply("bob", data.CancelOrder(order=order))

    assert (market.shown(order).phase, market.held("bob")) == ("cancelled", "1000.00")
    assert market.bond("carol") == ("100.00", "0.00")


@pytest.mark.parametrize("state", [Market.opened, Market.sealed, Market.confirmed])
def test_withdraw_gives_all_back(market: Market, state: Callable[[Market], Id]) -> None:
    """
    Given an order that is open, sealed or confirmed,
    when the owner withdraws,
    then all is back and no agent is at fault.
    """
    order = state(market)
    market.apply("alice", data.WithdrawOrder(order=order))

    assert (market.shown(order).phase, market.held("bob")) == ("withdrawn", "1000.00")
    assert (market.bond("carol"), market.lapses("carol")) == (("100.00", "0.00"), 0)


@pytest.mark.parametrize(
    ("state", "ms"),
    [(Market.opened, HOUR_MS), (Market.sealed, 2 * HOUR_MS), (Market.confirmed, 6 * HOUR_MS)],
)
def test_a_deadline_lapses(market: Market, state: Callable[[Market], Id], ms: int) -> None:
    """
    Given an order that is open, sealed or confirmed,
    when its deadline passes while blocks go on,
    then it has lapsed and all is back.
    """
    order = state(market)
    market.pass_time(ms)

    assert (market.shown(order).phase, market.held("bob")) == ("lapsed", "1000.00")


def test_attest_deletion_gives_the_bond_back(market: Market) -> None:
    """
    Given a licence,
    when the buyer attests deletion before `delete_by`,
    then its bond is back, and the licence has ended.
    """
    market.apply("bob", data.Accept(order=market.revealed()))
    attested = data.AttestDeletion(licence=market.licence, attestation_hash=hash_of(9))
    market.apply("bob", attested)

    assert market.held("bob") == "980.00"
    with market.refuses(Why.LICENCE_NOT_FOUND):
        market.apply("bob", attested)


def test_a_licence_that_nobody_attests_pays_the_owner(market: Market) -> None:
    """
    Given a licence until ten days after its order,
    when they pass,
    then the bond of 5.00 is the owner's.
    """
    market.apply("bob", data.Accept(order=market.revealed()))
    market.pass_time(10 * DAY_MS)

    assert market.earned("alice") == "24.00"
    with market.refuses(Why.LICENCE_NOT_FOUND):
        market.apply("bob", data.AttestDeletion(licence=market.licence, attestation_hash=B))


def moves(market: Market, order: Id) -> list[tuple[str, Message, str]]:
    """Each message about an order: who sends it, and from which states."""
    return [
        ("carol", market.sealing(order), "open"),
        ("bob", market.confirming(order), "sealed"),
        ("carol", data.Reveal(order=order, b=B), "confirmed"),
        ("bob", data.Accept(order=order), "revealed"),
        ("bob", data.Claim(order=order, evidence_hash=B), "revealed"),
        ("ann", data.Vote(order=order, verdict=UPHELD), "claimed"),
        ("bob", data.CancelOrder(order=order), "open sealed"),
        ("alice", data.WithdrawOrder(order=order), "open sealed confirmed"),
        (
            "bank",
            data.Freeze(order=order, until=Time(market.time + 60_000), reason=Small(1)),
            "open sealed confirmed",
        ),
    ]


@pytest.mark.parametrize(
    "state", [Market.opened, Market.sealed, Market.confirmed, Market.revealed, Market.claimed]
)
def test_no_message_moves_an_order_from_another_state(
    market: Market, state: Callable[[Market], Id]
) -> None:
    """
    Given an order in some state, and one that has ended,
    when each message comes that begins elsewhere,
    then it is refused.
    """
    order = state(market)
    for sender, message, begins in moves(market, order):
        if market.shown(order).phase not in begins.split():
            with market.refuses(Why.ORDER_IS_ELSEWHERE):
                market.apply(sender, message)
    ended = market.revealed()
    market.apply("bob", data.Accept(order=ended))
    for sender, message, _ in moves(market, ended):
        with market.refuses(Why.ORDER_IS_ELSEWHERE):
            market.apply(sender, message)
    for sender, message, _ in moves(market, NOWHERE):
        with market.refuses(Why.ORDER_NOT_FOUND):
            market.apply(sender, message)


def test_every_sender_but_the_right_one_is_refused(market: Market) -> None:
    """
    Given orders in each state,
    when mallory sends what moves them,
    then each is refused.
    """
    refusals: list[tuple[Id, int, Reason]] = [
        (market.opened(), 0, Why.SENDER_MAY_NOT_SEAL),
        (market.sealed(), 1, Why.SENDER_IS_NOT_BUYER),
        (market.confirmed(), 2, Why.SENDER_DID_NOT_SEAL),
        (market.revealed(), 3, Why.SENDER_IS_NOT_BUYER),
        (market.revealed(), 4, Why.SENDER_IS_NOT_BUYER),
    ]
    for order, move, why in refusals:
        with market.refuses(why):
            market.apply("mallory", moves(market, order)[move][1])
    order = market.opened(price=Amount("1.00"), fee=Amount("0.00"))
    for move, expected in ((6, Why.SENDER_IS_NOT_BUYER), (7, Why.SENDER_IS_NOT_OWNER)):
        with market.refuses(expected):
            market.apply("mallory", moves(market, order)[move][1])
    with market.refuses(Why.SENDER_IS_NOT_SUPERVISOR):
        market.apply("mallory", moves(market, order)[8][1])
    with market.refuses(Why.SENDER_IS_NOT_BUYER):
        market.apply("mallory", data.AttestDeletion(licence=market.licence, attestation_hash=B))


def test_messages_come_before_the_deadline_swept_or_not(market: Market) -> None:
    """
    Given a chain that does one item of due work a block, and three orders that end at one time,
    when the buyer cancels the last of them in the block of that time,
    then it is refused: a deadline holds whether or not its sweep has been.
    """
    market = Market({"kernel.due_items": 1})
    seal_by = Time(market.time + 30_000)
    orders = [market.opened(seal_by=seal_by) for _ in range(3)]
    market.advance_to(seal_by)
    last = max(orders)
    with market.refuses(Why.DEADLINE_HAS_PASSED):
        market.apply("bob", data.CancelOrder(order=last))
