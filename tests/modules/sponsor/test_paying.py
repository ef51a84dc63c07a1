"""Who pays for a transaction, what it costs, and what happens when nobody can."""

from __future__ import annotations

import pytest

from tests.modules.governance_steps import done, seats
from tests.modules.sponsor_steps import (
    MINUTE_MS,
    SPENT_BY_BANK,
    first,
    grant,
    paid,
    pay,
    paying,
    share,
    tokens,
)
from tongbao.kernel import AssetCode, Count, Invalid, InvalidTransaction, Outcome, Small
from tongbao.kernel.kernel_module import COMMON, QUOTAS, Bucket, SettingName, buckets
from tongbao.kernel.quotas import TOKEN
from tongbao.modules import asset
from tongbao.modules.governance import SetParameter
from tongbao.sdk.builder import payload_bytes
from tongbao.testing.genesis import bank


def test_a_chain_without_quotas_writes_no_bucket() -> None:
    """
    Given a chain on which quotas are off, though it has a sponsor,
    when the sponsor and others pay more than any bucket holds,
    then nothing is asked and no bucket is written.
    """
    chain = paid(first(capacity=1, stands_for=("alice",)), parameters={QUOTAS.name: 0})
    for _ in range(3):
        chain.apply("alice", pay())
    assert not [key for key in chain.ledger.live.rows if key.startswith(buckets.prefix)]


def test_every_message_costs_a_token_also_where_it_is_refused() -> None:
    """
    Given a sponsor with 10 tokens,
    when it sends three messages in one transaction, and another that is refused,
    then it has 6, written once, and a payment that is invalid costs nothing.
    """
    chain = paid()
    assert tokens(chain, "bank") == 15 - SPENT_BY_BANK
    chain.apply("bank", *(defining(code) for code in ("AAA", "BBB", "CCC")))
    with chain.refuses(asset.Why.ASSET_IS_DEFINED):
        chain.apply("bank", defining("AAA"))
    with chain.is_invalid(Invalid.NONCE_WAS_USED):
        chain.apply("bank", defining("DDD"), nonce=1)
    assert tokens(chain, "bank") == 6
    row = chain.machine.row(buckets, bank)
    assert row is not None
    kept: Bucket = buckets.decode(row)
    assert kept.level // TOKEN == 6


def defining(code: str) -> asset.Define:
    """The message that defines an asset."""
    return asset.Define(code=AssetCode(code), scale=Small(2))


def test_a_block_charges_one_after_the_other_and_the_rest_is_invalid() -> None:
    """
    Given a sponsor with 10 tokens,
    when twelve of its transactions come in one block,
    then ten are applied, two are invalid for want of tokens, and one row tells it.
    """
    chain = paid()
    wires = [chain.sign("bank", grant(chain, "alice"), nonce=6 + each) for each in range(12)]
    decided = chain.block(*wires)

    found = [(result.outcome, result.number) for result in decided.results]

    spent = Invalid.ALLOWANCE_IS_SPENT.number
    assert found == [(Outcome.APPLIED, 0)] * 10 + [(Outcome.INVALID, spent)] * 2
    assert sum(key.startswith(buckets.prefix) for key, _ in decided.rows) == 1


def test_an_empty_bucket_says_when_there_is_a_token_again() -> None:
    """
    Given a sponsor whose bucket gains 6 tokens a minute, and is empty,
    when it asks whether another transaction would do,
    then it is told the time from which on, and then it is right.
    """
    chain = paid()
    for _ in range(10):
        chain.apply("bank", grant(chain, "alice"))
    wire = chain.sign("bank", grant(chain, "alice"))
    with pytest.raises(InvalidTransaction) as told:
        chain.machine.check(wire, chain.time)
    assert told.value.why is Invalid.ALLOWANCE_IS_SPENT
    assert told.value.again_at is not None
    waits = told.value.again_at - chain.time
    assert MINUTE_MS // 6 - 100 <= waits <= MINUTE_MS // 6
    with chain.is_invalid(Invalid.ALLOWANCE_IS_SPENT):
        chain.submit(wire)

    chain.advance_to(told.value.again_at)

    chain.submit(wire)


def test_what_costs_more_than_a_bucket_holds_never_comes() -> None:
    """
    Given the common bucket of 16 tokens,
    when somebody sends 17 messages at once,
    then it is invalid, without a time for another try.
    """
    chain = paid()
    wire = chain.sign("alice", *[pay()] * 17)
    with pytest.raises(InvalidTransaction, match="send fewer messages") as told:
        chain.machine.check(wire, chain.time)
    assert told.value.again_at is None


def test_a_dry_run_tells_that_nobody_can_pay_and_costs_nothing() -> None:
    """
    Given a sponsor with some tokens, and then with none,
    when it asks for dry runs,
    then they cost nothing, and at the end tell that its allowance is spent.
    """
    chain = paid()
    payload = payload_bytes(
        chain.machine.chain, bank, 90, chain.in_days(1), (grant(chain, "alice"),)
    )
    for _ in range(10):
        chain.machine.dry_run(payload, chain.time)
        chain.apply("bank", grant(chain, "alice"))
    with pytest.raises(InvalidTransaction) as told:
        chain.machine.dry_run(payload, chain.time)
    assert told.value.why is Invalid.ALLOWANCE_IS_SPENT


def test_a_sponsor_that_is_named_pays_without_a_signature_where_it_stands() -> None:
    """
    Given alice, for whom the bank stands,
    when she names it as her sponsor, with its signature and without,
    then it pays both times.
    """
    chain = paid(first(stands_for=("alice",)))
    before = tokens(chain, "bank")
    chain.apply("alice", pay(), sponsor="bank")
    chain.apply("alice", pay(), sponsor="bank", also_sign=("bank",))
    assert tokens(chain, "bank") == before - 2


def test_a_sponsor_that_signs_pays_for_anybody_once() -> None:
    """
    Given mallory, for whom nobody stands,
    when the bank signs one of her transactions as its sponsor,
    then it pays for that one, and in common is paid for the next.
    """
    chain = paid()
    before = tokens(chain, "bank")
    chain.apply("mallory", pay(), sponsor="bank", also_sign=("bank",))
    assert tokens(chain, "bank") == before - 1
    chain.apply("mallory", pay())
    assert tokens(chain, "bank") == before - 1
    assert tokens(chain, "mallory") == 15


def test_a_sponsor_without_an_allowance_pays_for_nobody() -> None:
    """
    Given bob, who is no sponsor,
    when alice names him as hers, and he signs,
    then it is invalid.
    """
    chain = paid()
    with chain.is_invalid(Invalid.SPONSOR_HAS_NO_ALLOWANCE):
        chain.apply("alice", pay(), sponsor="bob", also_sign=("bob",))


def test_operators_begin_and_end_quotas() -> None:
    """
    Given operators of a chain on which quotas are off,
    when they decide that there are some, and then that there are none,
    then messages cost from the next block on, and then no more.
    """
    chain = paid(parameters={QUOTAS.name: 0}, sections=(seats(("bank", "alice")),))
    name = SettingName(QUOTAS.name)
    done(chain, SetParameter(name=name, value=Count(1)))
    chain.apply("carol", pay(payee="alice"))
    assert tokens(chain, "carol") == 15
    done(chain, SetParameter(name=name, value=Count(0)))
    before = tokens(chain, "carol")
    chain.apply("carol", pay(payee="alice"))
    assert tokens(chain, "carol") == before


def test_a_share_is_what_one_account_may_spend() -> None:
    """
    Given alice, who has a share of 2 tokens of the bank's, one more each minute,
    when she pays three times, and a minute later once more,
    then the third is invalid with the time of the next token, and the last is applied.
    """
    chain = paid()
    chain.apply("bank", grant(chain, "alice", share=share()))
    before = tokens(chain, "bank")
    assert tokens(chain, "alice") == 2
    chain.apply("alice", pay())
    chain.apply("alice", pay())
    with pytest.raises(InvalidTransaction) as told:
        chain.machine.check(chain.sign("alice", pay()), chain.time)
    assert told.value.why is Invalid.SHARE_IS_SPENT
    with chain.is_invalid(Invalid.SHARE_IS_SPENT):
        chain.apply("alice", pay())
    assert tokens(chain, "bank") == before - 2

    assert told.value.again_at is not None
    chain.advance_to(told.value.again_at)
    chain.apply("alice", pay())


def test_a_sponsorship_that_has_ended_pays_no_more() -> None:
    """
    Given alice, for whom the bank stands for a day,
    when she pays two days later, and then names it without its signature,
    then it is paid in common, and the other is invalid.
    """
    chain = paid()
    chain.apply("bank", grant(chain, "alice", expires_at=chain.in_days(1)))
    chain.advance_to(chain.in_days(2))
    chain.apply("alice", pay())
    assert paying(chain, "alice").payer == COMMON
    with chain.is_invalid(Invalid.SPONSOR_HAS_NOT_SIGNED):
        chain.apply("alice", pay(), sponsor="bank")


def test_what_is_discarded_costs_nothing() -> None:
    """
    Given a block that is decided and taken back,
    when it is decided again, and on a chain that starts from its rows,
    then all come to the same rows.
    """
    chain = paid(first(stands_for=("alice",)))
    wire = chain.sign("alice", pay())
    block = chain.ledger.block(chain.time, (wire,))
    once = chain.machine.apply(block)
    chain.machine.discard()
    assert chain.machine.apply(block) == once
    chain.machine.discard()
    chain.ledger.restart()
    assert chain.ledger.machine.apply(block) == once
