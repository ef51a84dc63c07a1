"""Holds captured in part, released, extended and recalled; and what a freeze means for them."""

from __future__ import annotations

import pytest

from tests.modules.asset_steps import GOLD, units
from tests.modules.control_steps import (
    COURT,
    HOUR_MS,
    authorise,
    claw_back,
    controlled,
    deauthorise,
    freeze,
    limit,
)
from tongbao.kernel import Amount, Id, Small, Time
from tongbao.modules import asset, hold
from tongbao.modules.asset import Moved
from tongbao.modules.asset.control_messages import ISSUER, Kind
from tongbao.modules.hold import Capture, Extend, Hold, Place, Recall, Release, Why
from tongbao.testing import Chain, alice, bob, carol

NOWHERE = Id("cd" * 20)
VAULT = hold.module.vault
LATER_MS = 10 * HOUR_MS


def placing(chain: Chain, amount: str = "40", for_ms: int = LATER_MS) -> Place:
    """The message that puts bob's gold on hold for alice."""
    until = Time(chain.time + for_ms)
    return Place(payee=alice, asset=GOLD, amount=Amount(amount), expires_at=until)


def place(chain: Chain, amount: str = "40", for_ms: int = LATER_MS) -> Id:
    """A hold of bob's gold for alice."""
    made = chain.apply("bob", placing(chain, amount, for_ms))
    assert made is not None
    return made


def held(chain: Chain) -> list[int]:
    """What alice, bob and the vault of holds have of gold."""
    return [units(chain, owner, GOLD) for owner in (alice, bob, VAULT)]


def shown(chain: Chain, made: Id) -> Hold | None:
    """A hold as it stands."""
    return hold.show(chain.view(hold.module), made)


# In part, released, extended


def test_a_payee_captures_in_part_and_the_rest_stays_on_hold(chain: Chain) -> None:
    """
    Given a hold of 40 for alice,
    when she captures 15, then 25,
    then 25 are on hold in between, and nothing afterwards.
    """
    controlled(chain)
    made = place(chain)

    chain.apply("alice", Capture(hold=made, amount=Amount("15")))
    row = shown(chain, made)
    assert row is not None and row.amount == Amount("25")
    assert held(chain) == [115, 60, 25]
    chain.apply("alice", Capture(hold=made, amount=Amount("25")))

    assert shown(chain, made) is None
    assert held(chain) == [140, 60, 0]


def test_what_was_not_captured_comes_back(chain: Chain) -> None:
    """
    Given a hold of 40 of which 15 were captured,
    when it expires,
    then bob has the other 25 again.
    """
    controlled(chain)
    made = place(chain)
    chain.apply("alice", Capture(hold=made, amount=Amount("15")))
    chain.advance(LATER_MS)
    chain.block()

    assert held(chain) == [115, 85, 0]


def test_a_part_is_an_amount_within_the_hold(chain: Chain) -> None:
    """
    Given a hold of 40, beside another,
    when alice captures 41 of it, nothing, and half a unit,
    then each is refused.
    """
    controlled(chain)
    made = place(chain)
    place(chain)

    with chain.refuses(Why.AMOUNT_IS_ABOVE_HOLD):
        chain.apply("alice", Capture(hold=made, amount=Amount("41")))
    with chain.refuses(asset.Why.AMOUNT_IS_ZERO):
        chain.apply("alice", Capture(hold=made, amount=Amount("0")))
    with chain.refuses(asset.Why.DECIMALS_DIFFER):
        chain.apply("alice", Capture(hold=made, amount=Amount("0.5")))


def test_a_payee_releases_what_it_does_not_want(chain: Chain) -> None:
    """
    Given a hold for alice,
    when bob releases it, when alice does, and once more,
    then only she does, once, and bob has his value at once.
    """
    controlled(chain)
    made = place(chain)

    with chain.refuses(Why.SENDER_IS_NOT_PAYEE):
        chain.apply("bob", Release(hold=made))
    chain.apply("alice", Release(hold=made))
    assert chain.receipt.events == (Moved(asset=GOLD, amount=Amount("40"), payer=VAULT, payee=bob),)
    with chain.refuses(Why.HOLD_NOT_FOUND):
        chain.apply("alice", Release(hold=made))

    assert held(chain) == [100, 100, 0]


def test_a_payer_extends_a_hold_and_nobody_else_does(chain: Chain) -> None:
    """
    Given a hold of bob's that expires in ten hours,
    when alice extends it, bob lets it expire no later, and bob gives it an hour more,
    then the last alone is done, and it comes back when that has passed.
    """
    controlled(chain)
    made = place(chain)
    row = shown(chain, made)
    assert row is not None
    later = Time(row.expires_at + HOUR_MS)

    with chain.refuses(Why.SENDER_IS_NOT_PAYER):
        chain.apply("alice", Extend(hold=made, expires_at=later))
    with chain.refuses(Why.EXTENSION_IS_EARLIER):
        chain.apply("bob", Extend(hold=made, expires_at=row.expires_at))
    with chain.refuses(Why.HOLD_NOT_FOUND):
        chain.apply("bob", Extend(hold=NOWHERE, expires_at=later))
    chain.apply("bob", Extend(hold=made, expires_at=later))

    assert chain.machine.next_due() == later
    chain.advance_to(later)
    chain.block()
    assert held(chain) == [100, 100, 0]


def test_a_hold_that_has_expired_is_not_extended() -> None:
    """
    Given a chain that gives back one hold a block, and two that have expired,
    when the block that gives the first back has bob's extension of the second,
    then he is refused.
    """
    chain = Chain(parameters={"kernel.due_items": 1})
    controlled(chain)
    place(chain, for_ms=HOUR_MS)
    second = place(chain, for_ms=HOUR_MS)
    chain.advance(HOUR_MS)

    with chain.refuses(Why.HOLD_HAS_EXPIRED):
        chain.apply("bob", Extend(hold=second, expires_at=chain.in_days(1)))


# Freezes


def test_what_a_frozen_payer_has_on_hold_is_not_captured(chain: Chain) -> None:
    """
    Given bob's gold on hold for alice, and his holding frozen for an hour,
    when alice captures, bob extends, and alice captures after the freeze has ended,
    then the last alone is done.
    """
    controlled(chain, "freezing")
    made = place(chain)
    chain.apply("carol", freeze(chain, bob))

    with chain.refuses(asset.Why.PAYER_IS_FROZEN):
        chain.apply("alice", Capture(hold=made))
    with chain.refuses(asset.Why.PAYER_IS_FROZEN):
        chain.apply("bob", Extend(hold=made, expires_at=chain.in_days(9)))
    with chain.refuses(asset.Why.PAYER_IS_FROZEN):
        chain.apply("bob", placing(chain))
    chain.advance(HOUR_MS)
    chain.apply("alice", Capture(hold=made))

    assert held(chain) == [140, 60, 0]


@pytest.mark.parametrize("frozen", ["freeze", "deauthorise"])
def test_what_is_given_back_never_gets_stuck(chain: Chain, frozen: str) -> None:
    """
    Given two holds of bob's, whose holding is then frozen, or who may hold no more, and is full,
    when alice releases one and the other expires,
    then both come back to him; he can't spend them, but they are his.
    """
    controlled(chain, "authorisation", "freezing", "limits")
    made = place(chain, for_ms=HOUR_MS // 2), place(chain)
    stop = freeze(chain, bob) if frozen == "freeze" else deauthorise(bob)
    chain.apply("carol", stop, limit("1", bob))

    chain.apply("alice", Release(hold=made[1]))
    assert held(chain) == [100, 60, 40]
    chain.advance(HOUR_MS // 2)
    decided = chain.block()

    assert decided.due is not None and b'"stuck"' not in decided.due
    assert held(chain) == [100, 100, 0]


def test_a_payee_that_may_not_be_paid_captures_nothing(chain: Chain) -> None:
    """
    Given a hold for alice, whose authorisation is taken back, and given again while she is frozen,
    when she captures,
    then she is refused, for the one reason and the other.
    """
    controlled(chain, "authorisation", "freezing")
    made = place(chain)

    chain.apply("carol", deauthorise(alice))
    with chain.refuses(asset.Why.PAYEE_IS_NOT_AUTHORISED):
        chain.apply("alice", Capture(hold=made))
    chain.apply("carol", authorise(alice), freeze(chain, alice, "credits"))
    with chain.refuses(asset.Why.PAYEE_IS_FROZEN):
        chain.apply("alice", Capture(hold=made, amount=Amount("1")))


# Recall


def test_an_issuer_recalls_a_hold_and_claws_back(chain: Chain) -> None:
    """
    Given bob, who has put all his gold on hold for alice out of clawback's reach,
    when carol recalls the hold with a ground and claws back, in one transaction,
    then she has it, and bob sees both acts.
    """
    controlled(chain, "clawback")
    made = place(chain, "100")

    with chain.refuses(asset.Why.BALANCE_IS_TOO_LOW):
        chain.apply("carol", claw_back("100", bob))
    chain.apply("carol", Recall(hold=made, reason=COURT), claw_back("100", bob))

    assert held(chain) == [100, 0, 0]
    assert units(chain, carol, GOLD) == 100
    view = chain.view(asset.module)
    acts = [act for _, act in asset.acts_on(view, bob).rows]
    assert sorted(str(act.kind) for act in acts) == ["clawed_back", "recalled"]
    assert asset.acts_by(view, carol).rows[0][1].recalled == 1
    assert {(act.by, act.capacity) for act in acts} == {(carol, ISSUER)}
    assert Kind("recalled") in {act.kind for act in acts}


def test_a_hold_is_recalled_by_its_issuer_where_there_is_clawback(chain: Chain) -> None:
    """
    Given gold without clawback, and a hold of it,
    when bob, and carol, recall it, and carol recalls one of nobody's,
    then they are refused.
    """
    controlled(chain, "freezing")
    made = place(chain)

    with chain.refuses(asset.Why.SENDER_IS_NOT_ISSUER):
        chain.apply("bob", Recall(hold=made, reason=COURT))
    with chain.refuses(asset.Why.CONTROL_IS_OFF):
        chain.apply("carol", Recall(hold=made, reason=COURT))
    with chain.refuses(Why.HOLD_NOT_FOUND):
        chain.apply("carol", Recall(hold=NOWHERE, reason=COURT))


def test_a_recall_has_a_ground(chain: Chain) -> None:
    """
    Given gold with clawback, and a hold of it,
    when carol recalls it with a number that is no ground,
    then she is refused.
    """
    controlled(chain, "clawback")
    made = place(chain)

    with chain.refuses(asset.Why.REASON_IS_UNKNOWN):
        chain.apply("carol", Recall(hold=made, reason=Small(99)))
