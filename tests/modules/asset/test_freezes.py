"""Freezes end, have a ground, and stop what their scope says; clawback; what those hit can see."""

from __future__ import annotations

import msgspec
import pytest

from tests.modules.asset_steps import GOLD, define_gold, issue, pay, redeem, units
from tests.modules.control_steps import (
    COURT,
    ERROR,
    HOUR_MS,
    authorise,
    claw_back,
    controlled,
    deauthorise,
    freeze,
    limit,
    standing,
    switch,
    unfreeze,
)
from tongbao.kernel import Amount, Count, Hash, Invalid, Small, Time
from tongbao.kernel.envelope import decode_base64url
from tongbao.modules import account, asset
from tongbao.modules.asset import Act, Controlled, Frozen, Moved, Scope, Standing, Tally, Why
from tongbao.modules.asset.control_messages import ISSUER, Kind
from tongbao.sdk.builder import sign
from tongbao.testing import Chain, alice, bob, carol, mallory, named_key

DAY_MS = 86_400_000


# Freezes


@pytest.mark.parametrize(
    ("scope", "pays", "is_paid"),
    [("both", False, False), ("debits", False, True), ("credits", True, False)],
)
def test_a_freeze_stops_what_its_scope_says(
    chain: Chain, scope: str, pays: bool, is_paid: bool
) -> None:
    """
    Given bob with gold that can be frozen,
    when carol freezes what leaves his holding, or what comes, or both,
    then he pays and is paid just as far as that goes, by issue and redemption too.
    """
    controlled(chain, "freezing")
    chain.apply("carol", freeze(chain, bob, scope))

    if pays:
        chain.apply("bob", pay("1", alice, GOLD))
    else:
        with chain.refuses(Why.PAYER_IS_FROZEN):
            chain.apply("bob", pay("1", alice, GOLD))
    if is_paid:
        chain.apply("alice", pay("1", bob, GOLD))
        chain.apply("carol", issue("1", "r9"))
    else:
        with chain.refuses(Why.PAYEE_IS_FROZEN):
            chain.apply("alice", pay("1", bob, GOLD))
        with chain.refuses(Why.PAYEE_IS_FROZEN):
            chain.apply("carol", issue("1", "r9"))


def test_a_freeze_ends_at_its_time_by_itself(chain: Chain) -> None:
    """
    Given bob's gold, frozen for an hour,
    when he pays a millisecond before the end, and at the end,
    then the first is refused, and the second is paid.
    """
    controlled(chain, "freezing")
    message = freeze(chain, bob)
    chain.apply("carol", message)

    chain.advance_to(message.until - 1)
    with chain.refuses(Why.PAYER_IS_FROZEN):
        chain.apply("bob", pay("1", alice, GOLD))
    chain.apply("bob", pay("1", alice, GOLD))

    assert chain.machine.time >= message.until
    assert chain.machine.next_due() is None


def test_a_freeze_has_an_end_and_lasts_as_long_as_the_chain_allows() -> None:
    """
    Given a chain on which a freeze lasts a day at most,
    when carol freezes until now, for longer than a day, and for a day,
    then the first two are refused.
    """
    chain = Chain(parameters={"asset.freeze_ms": DAY_MS})
    controlled(chain, "freezing")

    with chain.refuses(Why.END_HAS_PASSED):
        chain.apply("carol", freeze(chain, bob, for_ms=0))
    with chain.refuses(Why.FREEZE_IS_TOO_LONG):
        chain.apply("carol", freeze(chain, bob, for_ms=DAY_MS + 1))
    chain.apply("carol", freeze(chain, bob, for_ms=DAY_MS))


def test_a_freeze_without_an_end_is_no_transaction(chain: Chain) -> None:
    """
    Given gold that can be frozen,
    when carol signs a freeze without the member `until`, or with null there,
    then it is invalid: nothing is frozen, and her nonce is not used.
    """
    controlled(chain, "freezing")
    wire = chain.sign("carol", freeze(chain, bob))
    said = msgspec.json.decode(decode_base64url(wire.split(b".")[1]))
    del said["messages"][0]["until"]

    for spoiled in (said, {**said, "messages": [said["messages"][0] | {"until": None}]}):
        payload = msgspec.json.encode(spoiled, order="sorted")
        with chain.is_invalid(Invalid.PAYLOAD_IS_MALFORMED):
            chain.submit(sign(payload, [named_key("carol")]))
    assert standing(chain, bob) is None


def test_an_issuer_ends_its_freeze_early(chain: Chain) -> None:
    """
    Given bob's gold, frozen by carol,
    when she ends that, and once more,
    then he pays; what is not frozen is not unfrozen.
    """
    controlled(chain, "freezing")
    chain.apply("carol", freeze(chain, bob))

    with chain.refuses(Why.SENDER_IS_NOT_ISSUER):
        chain.apply("bob", unfreeze(bob))
    chain.apply("carol", switch(off=("freezing",)))
    chain.apply("carol", unfreeze(bob))
    chain.apply("bob", pay("1", alice, GOLD))
    with chain.refuses(Why.FREEZE_NOT_FOUND):
        chain.apply("carol", unfreeze(bob))


def test_a_freeze_that_has_ended_is_not_ended_again(chain: Chain) -> None:
    """
    Given bob's gold, whose freeze has ended by itself,
    when carol ends it, and then freezes anew,
    then the first is refused, and the new freeze takes the place of the old one.
    """
    controlled(chain, "freezing")
    chain.apply("carol", freeze(chain, bob))
    chain.advance(HOUR_MS)
    with chain.refuses(Why.FREEZE_NOT_FOUND):
        chain.apply("carol", unfreeze(bob))
    began = chain.time
    chain.apply("carol", freeze(chain, bob, "credits", reason=Small(3)))

    frozen = Frozen(
        by=carol,
        scope=Scope("credits"),
        reason=Small(3),
        since=began,
        until=Time(began + HOUR_MS),
    )
    assert standing(chain, bob) == Standing(frozen_by_issuer=frozen)


def test_nobody_leaves_a_freeze_by_closing_the_account(chain: Chain) -> None:
    """
    Given bob's gold, frozen,
    when he closes his account into alice's,
    then he is refused until the freeze has ended.
    """
    controlled(chain, "freezing")
    chain.apply("carol", freeze(chain, bob))

    with chain.refuses(Why.PAYER_IS_FROZEN):
        chain.apply("bob", account.Close(heir=alice))
    chain.advance(HOUR_MS)
    chain.apply("bob", account.Close(heir=alice))

    assert units(chain, alice, GOLD) == 200


def test_whoever_is_no_supervisor_does_not_freeze_as_one(chain: Chain) -> None:
    """
    Given gold without flags,
    when mallory, and carol herself, freeze and unfreeze as a supervisor,
    then they are refused.
    """
    controlled(chain)

    for sender in ("mallory", "carol"):
        with chain.refuses(Why.SENDER_IS_NOT_SUPERVISOR):
            chain.apply(sender, freeze(chain, bob, as_supervisor=True))
        with chain.refuses(Why.SENDER_IS_NOT_SUPERVISOR):
            chain.apply(sender, unfreeze(bob, as_supervisor=True))


# Clawback


def test_an_issuer_claws_back_with_a_ground_also_what_is_frozen(chain: Chain) -> None:
    """
    Given bob with 100 of gold, frozen and no longer authorised,
    when carol claws 40 back because of an error,
    then she holds it and can redeem it, bob has 60, and the receipt tells who took what and why.
    """
    controlled(chain, "authorisation", "clawback", "freezing")
    chain.apply("carol", freeze(chain, bob), deauthorise(bob))

    act = chain.apply("carol", claw_back("40", bob))
    assert act is not None

    assert chain.receipt.events == (
        Moved(asset=GOLD, amount=Amount("40"), payer=bob, payee=carol),
        Controlled(
            act=act,
            asset=GOLD,
            account=bob,
            kind=Kind("clawed_back"),
            by=carol,
            capacity=ISSUER,
            reason=ERROR,
        ),
    )
    assert [units(chain, owner, GOLD) for owner in (bob, carol)] == [60, 40]
    chain.apply("carol", redeem("40"))


def test_an_asset_that_locked_clawback_away_is_never_clawed_back(chain: Chain) -> None:
    """
    Given gold whose clawback was locked while it was off,
    when carol claws back, and when she switches it on first,
    then both are refused, and the clawback of more than there is is refused where it is on.
    """
    define_gold(chain)
    chain.apply("carol", switch("freezing", lock=("clawback",)))
    chain.apply("carol", issue("100"))

    with chain.refuses(Why.CONTROL_IS_OFF):
        chain.apply("carol", claw_back("1", bob))
    with chain.refuses(Why.FLAG_IS_LOCKED):
        chain.apply("carol", switch("clawback"), claw_back("1", bob))


def test_no_more_is_clawed_back_than_is_held(chain: Chain) -> None:
    """
    Given bob with 100 of gold that has clawback,
    when carol takes 101, and nothing,
    then she is refused.
    """
    controlled(chain, "clawback")

    with chain.refuses(Why.BALANCE_IS_TOO_LOW):
        chain.apply("carol", claw_back("101", bob))
    with chain.refuses(Why.AMOUNT_IS_ZERO):
        chain.apply("carol", claw_back("0", bob))


# What everybody sees


def test_the_person_hit_sees_every_act_and_what_stands(chain: Chain) -> None:
    """
    Given bob, on whose holding carol has acted five times,
    when he asks what stands on his holdings and what was done to them,
    then he sees all of it in its order, with grounds and ends; alice sees what hit her alone.
    """
    controlled(chain, "authorisation", "clawback", "freezing", "limits")
    paper = Hash("0a" * 32)
    times = [chain.time]
    chain.apply("carol", limit("500", bob))
    message = msgspec.structs.replace(freeze(chain, bob), basis_hash=paper)
    times.append(chain.time)
    chain.apply("carol", message)
    times.append(chain.time)
    chain.apply("carol", claw_back("1", bob))
    view = chain.view(asset.module)

    [(key, stands)] = asset.controls_on(view, bob).rows
    acts = [act for _, act in asset.acts_on(view, bob).rows]

    frozen = Frozen(
        by=carol, scope=Scope("both"), reason=COURT, since=times[1], until=message.until
    )
    assert key == (bob, GOLD)
    assert stands == Standing(authorised=True, limit=Amount("500"), frozen_by_issuer=frozen)
    assert [str(act.kind) for act in acts] == ["authorised", "limited", "frozen", "clawed_back"]
    assert acts[2] == Act(
        account=bob,
        asset=GOLD,
        kind=Kind("frozen"),
        by=carol,
        capacity=ISSUER,
        at=times[1],
        reason=COURT,
        scope=Scope("both"),
        until=message.until,
        basis_hash=paper,
    )
    assert [str(act.kind) for _, act in asset.acts_on(view, alice).rows] == ["authorised"]


def test_whoever_acts_on_holdings_is_counted_in_public(chain: Chain) -> None:
    """
    Given carol, who has authorised three, taken one back, and frozen one holding twice,
    when anybody asks how often she has acted,
    then each kind of act is counted; mallory, who was refused, has acted never.
    """
    controlled(chain, "authorisation", "freezing")
    chain.apply("carol", authorise(mallory), deauthorise(mallory))
    for _ in range(2):
        chain.apply("carol", freeze(chain, bob))
    with chain.refuses(Why.SENDER_IS_NOT_ISSUER):
        chain.apply("mallory", freeze(chain, bob))
    view = chain.view(asset.module)

    tally = Tally(authorised=Count(3), deauthorised=Count(1), frozen=Count(2))
    assert asset.acts_by(view, carol).rows == (((carol, ISSUER), tally),)
    assert asset.acts_by(view, mallory).rows == ()
