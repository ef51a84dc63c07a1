"""The chain for tests: what is right passes, and a test that expects what is wrong fails."""

from __future__ import annotations

import pytest

from tongbao.kernel import Amount, Count, Invalid, Small
from tongbao.kernel.genesis import section
from tongbao.modules import account, asset
from tongbao.simulation import mischief
from tongbao.testing import CNY, Chain, NotApplied, alice, bank, bob, carol, mallory
from tongbao.testing.chain import DAY_MS
from tongbao.testing.genesis import GENESIS_TIME

PAYMENT = asset.Transfer(asset=CNY, amount=Amount("1.00"), payee=bob)
TOO_MUCH = asset.Transfer(asset=CNY, amount=Amount("9999.00"), payee=bob)


def test_a_fresh_chain_has_five_people_and_their_money(chain: Chain) -> None:
    """
    Given a fresh chain,
    when its people are asked for,
    then the bank issues CNY with two decimals, and each of the others has 1000.00.
    """
    view = chain.view(asset.module)
    definition = asset.show(view, CNY)
    assert definition == asset.Definition(issuer=bank, scale=Small(2))
    for name, person in (("alice", alice), ("bob", bob), ("carol", carol), ("mallory", mallory)):
        assert chain.address(name) == person
        assert asset.balance(view, person, CNY) == asset.Holding(amount=Amount("1000.00"))


def test_what_is_refused_or_invalid_raises_with_the_reason(chain: Chain) -> None:
    """
    Given a test that expects a transaction to be applied,
    when it is refused, or invalid,
    then the test fails and reads why.
    """
    with pytest.raises(NotApplied, match=r"refused: asset\.BALANCE_IS_TOO_LOW \(2013\)"):
        chain.apply("alice", TOO_MUCH)
    with pytest.raises(NotApplied, match=r"invalid: kernel\.NONCE_WAS_USED \(15\)"):
        chain.apply("alice", PAYMENT, nonce=1)


def test_another_outcome_than_the_expected_one_fails(chain: Chain) -> None:
    """
    Given a test that expects one reason,
    when the transaction is applied, is refused with another, or is invalid instead,
    then the test fails.
    """
    why = asset.Why.BALANCE_IS_TOO_LOW
    with pytest.raises(AssertionError, match="wanted refused"), chain.refuses(why):
        chain.apply("alice", PAYMENT)
    other = asset.Why.DECIMALS_DIFFER
    with pytest.raises(AssertionError, match="DECIMALS_DIFFER"), chain.refuses(other):
        chain.apply("alice", TOO_MUCH)
    with pytest.raises(AssertionError, match="it is invalid"), chain.refuses(why):
        chain.apply("alice", TOO_MUCH, nonce=1)


def test_an_expectation_that_nothing_meets_fails(chain: Chain) -> None:
    """
    Given a test that expects a refusal,
    when nothing is sent,
    then the test fails.
    """
    why = asset.Why.BALANCE_IS_TOO_LOW
    with pytest.raises(AssertionError, match="nothing was sent"), chain.refuses(why):
        pass


def test_a_refusal_uses_its_nonce_and_an_invalid_one_does_not(chain: Chain) -> None:
    """
    Given alice whose next nonce is 1,
    when a transaction is invalid, one is refused and one is applied,
    then the applied one has nonce 2.
    """
    with chain.is_invalid(Invalid.EXPIRY_HAS_PASSED):
        chain.apply("alice", PAYMENT, expires=chain.time)
    with chain.refuses(asset.Why.BALANCE_IS_TOO_LOW):
        chain.apply("alice", TOO_MUCH)
    wire = chain.sign("alice", PAYMENT)

    assert chain.machine.parse(wire).payload.nonce == 2
    chain.submit(wire)


def test_the_clock_stands_still_until_it_is_moved(chain: Chain) -> None:
    """
    Given a chain,
    when blocks are made and the clock is moved,
    then each block is a millisecond after the one before, or at the time that it was moved to.
    """
    start = chain.time
    assert start > GENESIS_TIME
    chain.block()
    assert chain.machine.time == start
    assert chain.time == start + 1
    chain.advance(1_000)
    assert chain.block().time == start + 1_001
    later = chain.in_days(2)
    assert later == chain.time + 2 * DAY_MS
    chain.advance_to(later)
    assert chain.block().time == later


def test_an_account_is_opened_with_the_names_of_its_keys(chain: Chain) -> None:
    """
    Given a chain,
    when an account of two keys is opened for dave,
    then dave can be named, and signs with the first of his keys.
    """
    dave = chain.open_account("dave", "dave-1", "dave-2", threshold=2)
    chain.apply("alice", asset.Transfer(asset=CNY, amount=Amount("2.00"), payee=dave))

    chain.apply("dave", PAYMENT)

    row = account.show(chain.view(account.module), dave)
    assert row is not None
    assert (len(row.keys), row.sensitive, chain.address("dave")) == (2, 2, dave)


def test_modules_of_others_stand_beside_the_built_in_ones() -> None:
    """
    Given a chain with one more module, its section of genesis and a parameter,
    when messages of that module are sent,
    then they are carried out and refused like any other's.
    """
    jars = mischief.Start(jars=(mischief.Jar(drops=Small(3)),))
    chain = Chain(
        mischief.module,
        parameters={"kernel.transaction_rows": 100},
        sections=(section("mischief", jars),),
    )
    pour = mischief.Pour(source=Small(0), target=Small(1), drops=Small(2))

    chain.apply("alice", pour)
    with chain.refuses(mischief.Why.JAR_IS_TOO_EMPTY):
        chain.apply("alice", pour)
    chain.apply("alice", mischief.Burn(rows=Count(99)))
