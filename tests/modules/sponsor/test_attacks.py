"""Free load on somebody else's tokens, tried in every way that the design knows of."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.modules.reasons_named import unnamed_reasons
from tests.modules.sponsor_steps import first, grant, paid, pay, paying, share, tokens
from tongbao.kernel import AssetCode, Invalid, InvalidTransaction, Outcome, Small
from tongbao.kernel.kernel_module import COMMON
from tongbao.modules import asset, sponsor
from tongbao.modules.sponsor import Revoke, SetTerms, Take
from tongbao.sdk.genesis_builder import single_key
from tongbao.testing import named_key
from tongbao.testing.genesis import alice, bank

SPENT = Invalid.ALLOWANCE_IS_SPENT.number


def test_many_accounts_of_one_evader_share_one_bucket() -> None:
    """
    Given an evader who is a sponsor with 15 tokens, has spent five, and has opened four accounts,
    when they all send more than is left, in one block,
    then together they come to what was left of the one bucket, and not to more.
    """
    chain = paid(first(accounts=9))
    chain.apply("bank", SetTerms())
    names = ("one", "two", "three", "four")
    for name in names:
        chain.open_account(name)
    left = tokens(chain, "bank")
    assert left == 15 - 5 - 1 - len(names)
    wires = [
        chain.sign(name, defining(f"A{nonce}"), nonce=nonce)
        for name in names
        for nonce in (1, 2, 3)
    ]

    decided = chain.block(*wires)

    let_in = [result for result in decided.results if result.outcome is not Outcome.INVALID]
    assert len(let_in) == left
    assert {result.number for result in decided.results} >= {SPENT}


def defining(code: str) -> asset.Define:
    """The message that defines an asset, which anybody may."""
    return asset.Define(code=AssetCode(code), scale=Small(2))


def test_accounts_without_a_sponsor_share_one_bucket() -> None:
    """
    Given the common bucket of 16 tokens, and three accounts for whom nobody stands,
    when each of them sends ten payments in one block,
    then 16 are let in.
    """
    chain = paid()
    names = ("alice", "bob", "mallory")
    wires = [chain.sign(name, pay(), nonce=nonce) for name in names for nonce in range(1, 11)]
    decided = chain.block(*wires)
    assert sum(result.outcome is Outcome.APPLIED for result in decided.results) == 16
    assert {result.number for result in decided.results} == {0, SPENT}


def test_strangers_do_not_spend_a_sponsors_tokens() -> None:
    """
    Given a sponsor that stands for alice,
    when mallory names it without its signature, and with a stranger's in its place,
    then both are invalid, and its bucket is as before.
    """
    chain = paid(first(stands_for=("alice",)))
    before = tokens(chain, "bank")
    with chain.is_invalid(Invalid.SPONSOR_HAS_NOT_SIGNED):
        chain.apply("mallory", pay(), sponsor="bank")
        chain.apply("mallory", pay(), sponsor="bank", also_sign=("alice",))
    assert tokens(chain, "bank") == before


def test_a_sponsor_that_revokes_in_the_middle_of_a_block_pays_no_more() -> None:
    """
    Given alice, for whom the bank stands, and the common bucket, which others have emptied,
    when one block has her payment, the bank's revocation, and two more payments of hers,
    one of which names the bank,
    then the first alone is let in.
    """
    chain = paid(first(stands_for=("alice",)))
    for _ in range(16):
        chain.apply("mallory", pay())
    before = tokens(chain, "bank")
    decided = chain.block(
        chain.sign("alice", pay(), nonce=1),
        chain.sign("bank", Revoke(account=alice)),
        chain.sign("alice", pay(), nonce=2),
        chain.sign("alice", pay(), nonce=3, sponsor="bank"),
    )

    found = [result.number for result in decided.results]

    assert found == [0, 0, SPENT, Invalid.SPONSOR_HAS_NOT_SIGNED.number]
    assert tokens(chain, "bank") == before - 2


def test_a_revoked_sponsor_is_not_asked_again_in_a_recheck() -> None:
    """
    Given a payment that names the bank without its signature, and was admitted,
    when the bank revokes before it is in a block,
    then the recheck behind that block finds it invalid.
    """
    chain = paid(first(stands_for=("alice",)))
    wire = chain.sign("alice", pay(), sponsor="bank")
    chain.machine.check(wire, chain.time)
    chain.machine.check_again(wire, chain.time)
    chain.apply("bank", Revoke(account=alice))
    with pytest.raises(InvalidTransaction) as told:
        chain.machine.check_again(wire, chain.time)
    assert told.value.why is Invalid.SPONSOR_HAS_NOT_SIGNED


def test_a_loop_of_refusals_costs_and_ends() -> None:
    """
    Given alice, who has a share of two tokens of the bank's,
    when she sends payments that are refused,
    then two are, and from then on they are invalid and stand in no block.
    """
    chain = paid()
    chain.apply("bank", grant(chain, "alice", share=share()))
    for _ in range(2):
        with chain.refuses(asset.Why.BALANCE_IS_TOO_LOW):
            chain.apply("alice", pay("5000.00"))
    with chain.is_invalid(Invalid.SHARE_IS_SPENT):
        chain.apply("alice", pay("5000.00"))


def test_leaving_and_coming_back_fills_no_share() -> None:
    """
    Given alice, who has spent her share of the bank's tokens,
    when the bank revokes and grants anew, and when it grants in the block in which she has paid,
    then the share is as empty as before.
    """
    chain = paid()
    chain.apply("bank", grant(chain, "alice", share=share()))
    chain.apply("alice", pay(), pay())
    chain.apply("bank", Revoke(account=alice))
    chain.apply("bank", grant(chain, "alice", share=share()))
    with chain.is_invalid(Invalid.SHARE_IS_SPENT):
        chain.apply("alice", pay())


def test_no_account_is_taken_from_its_sponsor_against_its_will() -> None:
    """
    Given alice, for whom the bank stands,
    when another sponsor grants her a share of next to nothing,
    then the bank still pays for her, and the offer is hers to take.
    """
    chain = paid(first(stands_for=("alice",)), first("bob"))
    chain.apply("bob", grant(chain, "alice", share=share(1, 1)))
    assert paying(chain, "alice").payer == bank
    chain.apply("alice", Take(by=chain.address("bob")))
    assert tokens(chain, "alice") == 1


def test_many_messages_in_one_transaction_cost_as_many_tokens() -> None:
    """
    Given the common bucket of 16 tokens,
    when alice sends 16 payments in one transaction, and one more,
    then the bucket is empty after the first.
    """
    chain = paid()
    chain.apply("alice", *[pay()] * 16)
    assert paying(chain, "mallory").payer == COMMON
    with chain.is_invalid(Invalid.ALLOWANCE_IS_SPENT):
        chain.apply("mallory", pay())


def test_opening_accounts_without_end_comes_to_an_end() -> None:
    """
    Given a sponsor of two accounts with terms,
    when it opens a third,
    then it is refused.
    """
    chain = paid(first(accounts=2))
    chain.apply("bank", SetTerms())
    for name in ("one", "two"):
        chain.open_account(name)
    with chain.refuses(sponsor.Why.TOO_MANY_ACCOUNTS):
        chain.apply("bank", single_key(named_key("three").key_id), also_sign=("three",))


def test_every_reason_of_the_module_is_expected_somewhere() -> None:
    """
    Given the reasons of the module,
    when they are looked for in the tests of this folder,
    then each of them is expected somewhere by its name.
    """
    assert unnamed_reasons(sponsor.module, Path(__file__)) == []


def test_what_is_invalid_changes_nothing_for_what_comes_behind_it() -> None:
    """
    Given alice, whose share of the bank's tokens is made small and large again within a block,
    when a transaction that is too large for the small one stands between, and when it is left out,
    then both blocks come to the same rows.
    """
    chain = paid(first(capacity=30))
    chain.apply("bank", grant(chain, "alice", share=share(9, 1)))
    small = chain.sign("bank", grant(chain, "alice", share=share(1, 1)))
    large = chain.sign("bank", grant(chain, "alice", share=share(9, 1)), nonce=8)
    before, between = (
        chain.sign("alice", pay(), nonce=1),
        chain.sign("alice", *[pay()] * 2, nonce=2),
    )
    behind = chain.sign("alice", *[pay()] * 5, nonce=3)
    wires = (before, small, between, large, behind)
    made = chain.ledger.block(chain.time, wires)
    decided = chain.machine.apply(made)
    numbers = [result.number for result in decided.results]
    assert numbers == [0, 0, Invalid.SHARE_IS_SPENT.number, 0, 0]
    chain.machine.discard()
    left_out = tuple(wire for wire in wires if wire != between)
    assert chain.machine.apply(chain.ledger.block(chain.time, left_out)).rows == decided.rows


def test_who_has_spent_a_share_takes_another_sponsor_by_that_ones_signature() -> None:
    """
    Given alice, whose share of the bank's tokens is spent, and an offer of bob's,
    when she takes it, alone, and named and signed for by bob,
    then the first is invalid, and the second applied: no sponsor can hold her by a small share.
    """
    chain = paid(first(), first("bob"))
    chain.apply("bank", grant(chain, "alice", share=share(1, 1)))
    chain.apply("bob", grant(chain, "alice"))
    chain.apply("alice", pay())
    with chain.is_invalid(Invalid.SHARE_IS_SPENT):
        chain.apply("alice", Take(by=chain.address("bob")))
    chain.apply("alice", Take(by=chain.address("bob")), sponsor="bob", also_sign=("bob",))
    assert paying(chain, "alice").payer == chain.address("bob")
