"""Every row of the transition table of the market for data, over HTTP, between processes."""

from __future__ import annotations

import pytest

from tests.scenarios.casts import Money
from tests.scenarios.stage import Stage
from tests.scenarios.waits import Waits
from tongbao.kernel import Id
from tongbao.modules import data
from tongbao.rights.judge import Verdict
from tongbao.sdk.client import Refused

UPHELD, REJECTED = data.Verdict("upheld"), data.Verdict("rejected")
LOCKED = Money(buyer=-2_500)
"""The price of 20.00 and the deletion bond of 5.00 are set aside."""
PAID = Money(buyer=-2_500, owner=1_900, seller=100)
NOTHING = Money()


def test_order_to_open(market: Stage) -> None:
    """
    Given a buyer that an agent has heard,
    when it orders,
    then price and deletion bond are taken, the order is open until `seal_by`, and nobody has data.
    """
    cast = market.cast("cheat")
    seal_by = market.town.chain.now() + 60_000
    order = cast.unheard(seal_by)
    row = market.town.row(order)

    assert (row.phase, row.deadline) == ("open", seal_by)
    assert (cast.money(), cast.reserved()) == (LOCKED, 0)
    assert cast.who_opens(order) == []


def test_seal_from_open_to_sealed(market: Stage) -> None:
    """
    Given an open order whose copy the agent's program has,
    when it seals,
    then the price of its bond is reserved, the buyer has a while to confirm; nobody has data.
    """
    cast = market.cast("carol")
    before = cast.reserved()
    order = cast.sealed()
    row = market.town.row(order)

    assert row.grant_hash and row.package_root and row.a_commit and row.b_lock
    assert (cast.money(), cast.reserved() - before) == (LOCKED, 2_000)
    assert cast.who_opens(order) == []
    cast.buyer.cancel(order)


def test_confirm_from_sealed_to_confirmed(market: Stage) -> None:
    """
    Given a sealed order whose package and `a` the buyer has checked,
    when it confirms what was sealed,
    then the seller has a while to reveal; no money moves, and what the buyer has does not open.
    """
    cast = market.cast("cheat")
    order = cast.confirmed()

    assert market.town.row(order).phase == "confirmed"
    assert (cast.money(), cast.reserved()) == (LOCKED, 2_000)
    assert cast.who_opens(order) == []


def test_reveal_from_confirmed_to_revealed(market: Stage) -> None:
    """
    Given a confirmed order,
    when the agent's program publishes `b`,
    then the buyer opens, the onlooker does not; there is a licence with the bond, no money moves.
    """
    cast = market.cast("carol")
    order = cast.revealed()
    row = market.town.row(order)
    licences = market.town.chain.query(data.licensed_to, row.buyer).rows

    assert (row.phase, row.b is None) == ("revealed", False)
    assert [(one.order, one.bond.units) for _, one in licences] == [(order, 500)]
    assert (cast.money(), cast.who_opens(order)) == (LOCKED, ["buyer"])
    cast.buyer.accept(order)


def test_accept_from_revealed_to_settled(market: Stage) -> None:
    """
    Given a revealed order,
    when the buyer accepts,
    then the owner has earned the price less the fee, who sealed the fee, and its bond is free.
    """
    cast = market.cast("carol")
    before = cast.reserved()
    order = cast.revealed()
    cast.buyer.accept(order)

    assert market.town.row(order).phase == "settled"
    assert (cast.money(), cast.reserved() - before) == (PAID, 0)
    assert cast.who_opens(order) == ["buyer"]


def test_deadline_from_revealed_to_settled(waits: Waits) -> None:
    """
    Given a revealed order to which the buyer says nothing,
    when its deadline passes,
    then everybody is paid as if it had accepted.
    """
    end = waits.kept["silent_after_reveal"]

    assert (end.phase, end.money, end.reserved) == ("settled", PAID, 0)
    assert end.cast.who_opens(end.order) == ["buyer"]


def test_claim_from_revealed_to_claimed(market: Stage) -> None:
    """
    Given a revealed order,
    when the buyer claims,
    then a deposit of 10.00 is taken, three adjudicators are called, and nobody is paid yet.
    """
    cast = market.cast("cheat")
    order = cast.revealed()
    cast.buyer.claim(order, in_spite=True)
    row = market.town.row(order)

    assert (row.phase, len(set(row.panel)), row.votes) == ("claimed", 3, (None, None, None))
    assert (cast.money(), cast.reserved()) == (Money(buyer=-3_500), 2_000)
    assert cast.who_opens(order) == ["buyer"]
    for name in ("ann", "ben"):
        market.town.send(name, data.Vote(order=Id(order), verdict=REJECTED))


@pytest.mark.parametrize("verdict", [UPHELD, REJECTED])
def test_votes_from_claimed_to_upheld_or_rejected(market: Stage, verdict: data.Verdict) -> None:
    """
    Given a claim, before any program has voted,
    when two adjudicators say the same,
    then that decides: the agent's bond or the buyer's deposit pays the two, and others nothing.
    """
    cast = market.cast("cheat")
    order = cast.revealed()
    cast.buyer.claim(order, in_spite=True)
    for name in ("ann", "ben"):
        market.town.send(name, data.Vote(order=Id(order), verdict=verdict))
    upheld = Money(buyer=-500, bond=-2_000)
    rejected = Money(buyer=-3_500, owner=1_900, seller=100)

    assert market.town.reach(order, UPHELD, REJECTED) == verdict
    assert cast.money() == (upheld if verdict == UPHELD else rejected)
    with pytest.raises(Refused):
        market.town.send("cid", data.Vote(order=Id(order), verdict=verdict))
    assert cast.votes_won() == (2_000 if verdict == UPHELD else 1_000)
    assert (cast.reserved(), cast.who_opens(order)) == (0, ["buyer"])


def test_silence_of_the_panel_moves_no_money(market: Stage, waits: Waits) -> None:
    """
    Given a claim to which nobody of the panel says anything,
    when its deadline passes,
    then it is claimed still, all money is where it was, and the panel may vote no more.
    """
    end = waits.kept["claim_without_votes"]
    cast, order = end.cast, end.order
    with pytest.raises(Refused):
        market.town.send("ann", data.Vote(order=Id(order), verdict=UPHELD))

    assert market.town.row(order).phase == "claimed"
    assert (cast.money(), cast.reserved()) == (Money(buyer=-3_500), 2_000)


def test_after_the_deadline_one_supervisor_decides(market: Stage, waits: Waits) -> None:
    """
    Given a claim that is late,
    when one supervisor upholds it,
    then price, deposit and what the agent secured are the buyer's, since nobody of the panel voted.
    """
    end = waits.kept["claim_for_a_supervisor"]
    cast, order = end.cast, end.order
    panel = cast.voters()
    market.town.send("bank", data.Vote(order=Id(order), verdict=UPHELD))

    assert market.town.row(order).phase == "upheld"
    earned = market.town.earned(cast.buys)
    assert (cast.money().buyer, earned, cast.money().bond) == (-500, 2_000, -2_000)
    assert (cast.money().owner, cast.voters(), cast.reserved()) == (0, panel, 0)


@pytest.mark.parametrize("phase", ["open", "sealed"])
def test_cancel_from_open_and_sealed_to_cancelled(market: Stage, phase: str) -> None:
    """
    Given an open or a sealed order,
    when the buyer cancels,
    then all is back, nothing is reserved, and what the buyer has fetched does not open.
    """
    cast = market.cast("carol" if phase == "sealed" else "cheat")
    before = cast.reserved()
    order = cast.sealed() if phase == "sealed" else cast.unheard()
    if phase == "sealed":
        cast.fetch(order)
    cast.buyer.cancel(order)

    assert market.town.row(order).phase == "cancelled"
    assert (cast.money(), cast.reserved() - before) == (NOTHING, 0)
    assert (cast.who_opens(order), market.town.lapses(cast.buys)) == ([], 0)


@pytest.mark.parametrize("phase", ["open", "sealed", "confirmed"])
def test_withdraw_from_open_sealed_and_confirmed_to_withdrawn(market: Stage, phase: str) -> None:
    """
    Given an order before its reveal,
    when the owner withdraws it,
    then all is back, a reveal is refused, and what the buyer has does not open.
    """
    cast = market.cast("cheat")
    begin = {"open": cast.unheard, "sealed": cast.sealed, "confirmed": cast.confirmed}[phase]
    order = begin()
    market.town.send(cast.owns, data.WithdrawOrder(order=Id(order)))
    if phase == "confirmed":
        with pytest.raises(Refused):
            cast.cheat.reveal(order)

    assert market.town.row(order).phase == "withdrawn"
    assert (cast.money(), cast.reserved(), cast.who_opens(order)) == (NOTHING, 0, [])
    assert (market.town.lapses(cast.buys), market.town.lapses(cast.seals)) == (0, 0)


@pytest.mark.parametrize(
    ("name", "money", "faults"),
    [
        ("never_sealed", NOTHING, (0, 0)),
        ("never_confirmed", NOTHING, (1, 0)),
        ("agent_never_reveals", Money(owner=2_000, bond=-2_000), (0, 1)),
    ],
)
def test_deadline_from_open_sealed_and_confirmed_to_lapsed(
    waits: Waits, name: str, money: Money, faults: tuple[int, int]
) -> None:
    """
    Given an order before its reveal,
    when its deadline passes,
    then all is back; a sealing agent's bond pays the owner where it had only to reveal.
    """
    end = waits.kept[name]

    assert (end.phase, end.money, end.faults) == ("lapsed", money, faults)
    assert end.cast.who_opens(end.order) == []


def test_attest_deletion_gives_the_bond_back(market: Stage) -> None:
    """
    Given a licence,
    when the buyer deletes what it got and attests that,
    then its deletion bond is back, the licence has ended, and it has no rows any more.
    """
    cast = market.cast("carol")
    order = cast.revealed()
    cast.buyer.accept(order)
    cast.buyer.attest_deletion(order)
    licences = market.town.chain.query(data.licensed_to, cast.buyer.wallet.address).rows

    assert (cast.money(), list(licences)) == (Money(buyer=-2_000, owner=1_900, seller=100), [])
    assert (cast.who_opens(order), cast.folder.package(order).exists()) == ([], False)


def test_without_attestation_the_bond_is_the_owner_s(waits: Waits) -> None:
    """
    Given a licence that nobody attests the deletion of,
    when `delete_by` passes,
    then the deletion bond is the owner's.
    """
    cast = waits.kept["never_deleted"].cast
    waits.until_over(cast)

    assert cast.money() == Money(buyer=-2_500, owner=2_400, seller=100)


def test_a_message_from_another_state_is_refused(market: Stage) -> None:
    """
    Given a settled order,
    when any of its parties sends any message of the table,
    then each is refused, and nothing moves.
    """
    cast = market.cast("cheat")
    order = Id(cast.revealed())
    cast.buyer.accept(order)
    row, money = market.town.row(order), cast.money()
    assert row.grant_hash and row.package_root and row.nonce and row.b
    told = (
        (cast.buys, data.Accept(order=order)),
        (cast.buys, data.Claim(order=order, evidence_hash=row.b)),
        (cast.buys, data.CancelOrder(order=order)),
        (
            cast.buys,
            data.Confirm(
                order=order,
                grant_hash=row.grant_hash,
                package_root=row.package_root,
                nonce=row.nonce,
            ),
        ),
        (cast.owns, data.WithdrawOrder(order=order)),
        (cast.seals, data.Reveal(order=order, b=row.b)),
    )
    for who, message in told:
        with pytest.raises(Refused):
            market.town.send(who, message)

    assert (market.town.row(order), cast.money()) == (row, money)
    assert cast.buyer.verdict(order) == Verdict.OK
