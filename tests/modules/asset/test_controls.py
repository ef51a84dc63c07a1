"""Flags, authorisation and limits: whom an issuer lets hold, and how much; what is locked stays."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.modules.asset_steps import GOLD, define_gold, issue, pay, redeem, units
from tests.modules.control_steps import (
    COURT,
    authorise,
    claw_back,
    controlled,
    deauthorise,
    freeze,
    limit,
    standing,
    switch,
)
from tongbao.kernel import Amount, AssetCode, AssetId, Small
from tongbao.modules import account, asset
from tongbao.modules.asset import Controls, Flag, Standing, Why
from tongbao.testing import CNY, Chain, alice, bob, carol, mallory

NO_GROUND = Small(12)


def controls(chain: Chain) -> Controls | None:
    """The powers over gold."""
    return asset.controls_of(chain.view(asset.module), GOLD)


# Flags


def test_an_issuer_switches_flags_on_and_locks_them(chain: Chain) -> None:
    """
    Given gold of carol's,
    when she switches two flags on, and then one off while she locks both as they then are,
    then they are known, and neither changes ever again.
    """
    define_gold(chain)

    chain.apply("carol", switch("freezing", "clawback"))
    assert controls(chain) == Controls(flags=(Flag("clawback"), Flag("freezing")))
    chain.apply("carol", switch(off=("clawback",), lock=("freezing", "clawback")))
    locked = Flag("clawback"), Flag("freezing")
    assert controls(chain) == Controls(flags=(Flag("freezing"),), locked=locked)

    with chain.refuses(Why.FLAG_IS_LOCKED):
        chain.apply("carol", switch("clawback"))
    with chain.refuses(Why.FLAG_IS_LOCKED):
        chain.apply("carol", switch(off=("freezing",)))


def test_flags_can_be_there_from_the_asset_s_first_moment(chain: Chain) -> None:
    """
    Given carol,
    when one transaction of hers defines gold and switches its flags on,
    then there has been no moment without them.
    """
    define = asset.Define(code=AssetCode("GOLD"), scale=Small(0))
    chain.apply("carol", define, switch("authorisation", lock=("authorisation",)))

    assert controls(chain) == Controls(
        flags=(Flag("authorisation"),), locked=(Flag("authorisation"),)
    )


def test_a_flag_is_named_once_and_something_changes(chain: Chain) -> None:
    """
    Given gold with freezing,
    when carol names a flag for on and off, or twice, or nothing that changes,
    then she is refused.
    """
    define_gold(chain)
    chain.apply("carol", switch("freezing"))

    with chain.refuses(Why.FLAGS_CONTRADICT):
        chain.apply("carol", switch("limits", off=("limits",)))
    with chain.refuses(Why.FLAGS_CONTRADICT):
        chain.apply("carol", switch(lock=("limits", "limits")))
    with chain.refuses(Why.NOTHING_CHANGES):
        chain.apply("carol", switch("freezing"))
    with chain.refuses(Why.NOTHING_CHANGES):
        chain.apply("carol", switch())


def test_nobody_who_holds_an_asset_is_surprised_by_clawback(chain: Chain) -> None:
    """
    Given gold that bob holds,
    when carol switches clawback on, then redeems all of it and tries again,
    then she is refused while somebody holds it.
    """
    define_gold(chain)
    chain.apply("carol", issue("5", payee=carol))

    with chain.refuses(Why.CLAWBACK_COMES_TOO_LATE):
        chain.apply("carol", switch("clawback"))
    chain.apply("carol", redeem("5"))
    chain.apply("carol", switch("clawback"))


def test_only_the_issuer_has_power_over_an_asset(chain: Chain) -> None:
    """
    Given gold of carol's with every flag,
    when mallory sends each of the messages of control, and carol sends them about no asset,
    then all are refused.
    """
    controlled(chain, "authorisation", "clawback", "freezing", "limits")
    none = AssetId(f"NONE.{carol}")

    for message in (
        switch(off=("freezing",)),
        authorise(mallory),
        deauthorise(bob),
        limit("5"),
        freeze(chain, bob),
        claw_back("1", bob),
    ):
        with chain.refuses(Why.SENDER_IS_NOT_ISSUER):
            chain.apply("mallory", message)
        with chain.refuses(Why.ASSET_NOT_FOUND):
            chain.apply("carol", replace(message, asset=none))


def test_a_control_that_is_not_switched_on_is_refused(chain: Chain) -> None:
    """
    Given gold without flags,
    when carol limits, freezes and claws back,
    then each is refused, and nothing is read of it in a payment.
    """
    controlled(chain)

    for message in (limit("5"), freeze(chain, bob), claw_back("1", bob)):
        with chain.refuses(Why.CONTROL_IS_OFF):
            chain.apply("carol", message)
    assert controls(chain) is None


def test_every_act_on_a_holding_has_a_ground(chain: Chain) -> None:
    """
    Given gold with every flag,
    when carol acts on bob's holding with a number that is no ground,
    then she is refused.
    """
    controlled(chain, "authorisation", "clawback", "freezing", "limits")

    for message in (
        deauthorise(bob, NO_GROUND),
        limit("5", bob, NO_GROUND),
        freeze(chain, bob, reason=Small(0)),
        claw_back("1", bob, NO_GROUND),
    ):
        with chain.refuses(Why.REASON_IS_UNKNOWN):
            chain.apply("carol", message)


def test_acts_are_over_open_accounts_of_others(chain: Chain) -> None:
    """
    Given gold with every flag,
    when carol acts on her own holding, and on a vault,
    then she is refused.
    """
    controlled(chain, "authorisation", "clawback", "freezing", "limits")

    for owner in (carol, asset.module.vault):
        for message in (
            authorise(owner),
            limit("5", owner),
            freeze(chain, owner),
            claw_back("1", owner),
        ):
            with chain.refuses(Why.HOLDER_NOT_FOUND):
                chain.apply("carol", message)


# Authorisation


def test_only_authorised_accounts_hold_an_asset_that_needs_it(chain: Chain) -> None:
    """
    Given gold that needs authorisation, which alice and bob have,
    when alice pays bob, mallory and carol, and carol issues to mallory,
    then mallory gets nothing; carol, who issues it, needs nobody's leave.
    """
    controlled(chain, "authorisation")

    chain.apply("alice", pay("10", bob, GOLD))
    chain.apply("alice", pay("10", carol, GOLD))
    with chain.refuses(Why.PAYEE_IS_NOT_AUTHORISED):
        chain.apply("alice", pay("10", mallory, GOLD))
    with chain.refuses(Why.PAYEE_IS_NOT_AUTHORISED):
        chain.apply("carol", issue("10", "r9", payee=mallory))
    chain.apply("carol", pay("10", bob, GOLD))

    assert [units(chain, owner, GOLD) for owner in (alice, bob, carol)] == [80, 120, 0]


def test_a_holding_whose_authorisation_is_taken_back_stands_still(chain: Chain) -> None:
    """
    Given alice and bob, authorised, with gold,
    when carol takes bob's authorisation back, and gives it again,
    then he neither pays nor is paid in between, and what he holds stays his.
    """
    controlled(chain, "authorisation")

    chain.apply("carol", deauthorise(bob))
    with chain.refuses(Why.PAYER_IS_NOT_AUTHORISED):
        chain.apply("bob", pay("10", alice, GOLD))
    with chain.refuses(Why.PAYEE_IS_NOT_AUTHORISED):
        chain.apply("alice", pay("10", bob, GOLD))
    assert standing(chain, bob) is None
    assert units(chain, bob, GOLD) == 100

    chain.apply("carol", authorise(bob))
    chain.apply("bob", pay("10", alice, GOLD))
    assert standing(chain, bob) == Standing(authorised=True)


def test_authorisation_can_come_before_its_flag(chain: Chain) -> None:
    """
    Given gold without flags, which alice and bob hold,
    when carol authorises alice and switches the flag on in one transaction,
    then alice pays carol, and bob can't.
    """
    controlled(chain)

    chain.apply("carol", authorise(alice), switch("authorisation"))
    chain.apply("alice", pay("10", carol, GOLD))
    with chain.refuses(Why.PAYER_IS_NOT_AUTHORISED):
        chain.apply("bob", pay("10", carol, GOLD))


def test_what_is_so_already_is_not_done_again(chain: Chain) -> None:
    """
    Given bob, authorised, with a limit,
    when carol authorises him again, sets the same limits, or takes back what mallory has not,
    then she is refused.
    """
    controlled(chain, "authorisation", "limits")
    chain.apply("carol", limit("200", bob))

    for message in (authorise(bob), limit("200", bob), limit(None), deauthorise(mallory)):
        with chain.refuses(Why.NOTHING_CHANGES):
            chain.apply("carol", message)


def test_nobody_closes_an_account_into_one_that_may_not_hold(chain: Chain) -> None:
    """
    Given bob, authorised, with gold,
    when he closes his account into mallory's, then into alice's,
    then the first is refused, and alice inherits.
    """
    controlled(chain, "authorisation")

    with chain.refuses(Why.PAYEE_IS_NOT_AUTHORISED):
        chain.apply("bob", account.Close(heir=mallory))
    chain.apply("bob", account.Close(heir=alice))

    assert units(chain, alice, GOLD) == 200


# Limits


@pytest.mark.parametrize("own", [True, False])
def test_a_payee_is_paid_up_to_its_limit(chain: Chain, own: bool) -> None:
    """
    Given bob with 100 of gold and a limit of 150, his own or everybody's,
    when alice pays him 51, and then 50,
    then the first is refused, and so is carol when she issues one more.
    """
    controlled(chain, "limits")
    chain.apply("carol", limit("150", bob if own else None))

    with chain.refuses(Why.LIMIT_IS_EXCEEDED):
        chain.apply("alice", pay("51", bob, GOLD))
    chain.apply("alice", pay("50", bob, GOLD))
    with chain.refuses(Why.LIMIT_IS_EXCEEDED):
        chain.apply("carol", issue("1", "r9", payee=bob))


def test_an_own_limit_goes_before_everybody_s_and_an_issuer_has_none(chain: Chain) -> None:
    """
    Given everybody limited to 10 of gold, and bob to 150,
    when alice, who holds 100, pays bob and carol,
    then both are paid; what alice has beyond her limit stays hers, and nothing comes to it.
    """
    controlled(chain, "limits")
    chain.apply("carol", limit("10"), limit("150", bob))

    chain.apply("alice", pay("50", bob, GOLD))
    chain.apply("alice", pay("20", carol, GOLD))
    with chain.refuses(Why.LIMIT_IS_EXCEEDED):
        chain.apply("bob", pay("1", alice, GOLD))
    chain.apply("carol", limit(None))
    chain.apply("bob", pay("1", alice, GOLD))

    assert standing(chain, bob) == Standing(limit=Amount("150"))


def test_a_limit_is_an_amount_of_its_asset(chain: Chain) -> None:
    """
    Given gold, which has no decimals,
    when carol limits it to 0, and to 1.5,
    then she is refused.
    """
    controlled(chain, "limits")

    with chain.refuses(Why.AMOUNT_IS_ZERO):
        chain.apply("carol", limit("0"))
    with chain.refuses(Why.DECIMALS_DIFFER):
        chain.apply("carol", limit("1.5"))


def test_an_asset_without_controls_is_as_before(chain: Chain) -> None:
    """
    Given gold with every flag beside CNY,
    when alice pays CNY to mallory, who is authorised for nothing,
    then it is paid: controls are each asset's own.
    """
    controlled(chain, "authorisation", "clawback", "freezing", "limits")

    chain.apply("alice", pay("1.00", mallory, CNY))

    assert asset.controls_of(chain.view(asset.module), CNY) is None
    assert COURT in asset.GROUNDS
