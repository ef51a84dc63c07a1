"""The client interface in process: sending, asking, proving, in both colours."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.fixed_chain import BEGIN, FixedChain, key
from tongbao.kernel import Amount, AssetCode, Invalid, InvalidTransaction, Outcome, Small, Time
from tongbao.modules import asset, hold
from tongbao.sdk import AsyncChain, Chain, Refused, Wallet
from tongbao.sdk.builder import combine, payload_bytes, sign, transaction_id
from tongbao.sdk.client import Applied, Client
from tongbao.sdk.genesis_builder import single_key


def clock() -> int:
    """A minute after genesis, always."""
    return BEGIN + 60_000


@pytest.fixture
def fixed() -> FixedChain:
    """A chain in memory."""
    return FixedChain()


@pytest.fixture
def chain(fixed: FixedChain) -> Iterator[Chain]:
    """The same behind a running engine."""
    with fixed.running(clock) as running:
        yield running


@pytest.fixture
def alice(fixed: FixedChain, chain: Chain) -> Wallet:
    """Alice's wallet."""
    return chain.wallet(fixed.alice, key("alice"))


def pay(fixed: FixedChain, amount: str) -> asset.Transfer:
    """A payment to the shop."""
    return asset.Transfer(asset=fixed.cny, amount=Amount(amount), payee=fixed.shop)


def test_a_chain_is_a_client(chain: Chain) -> None:
    """
    Given the chain in this process,
    when mypy compares it with the interface that HTTP will share,
    then it fits (the assignment is the test).
    """
    client: Client = chain
    assert client.head().height >= 1


def test_what_a_hold_made_is_in_the_answer(fixed: FixedChain, chain: Chain, alice: Wallet) -> None:
    """
    Given a wallet,
    when it places a hold,
    then the answer has the hold's id, and the hold can be asked for.
    """
    expires = Time(chain.now() + 60_000)
    placed = alice.send(
        hold.Place(asset=fixed.cny, amount=Amount("4.00"), payee=fixed.shop, expires_at=expires)
    )
    found = chain.query(hold.held_for, fixed.shop)
    assert [row_id for row_id, _ in found.rows] == [placed.made]


def test_a_dry_run_tells_and_changes_nothing(fixed: FixedChain, chain: Chain) -> None:
    """
    Given a payload,
    when it is tried,
    then its outcome is told and the chain's root is what it was.
    """
    before = chain.head()
    for amount, outcome, number in (
        ("1.00", Outcome.APPLIED, 0),
        ("101.00", Outcome.REFUSED, 2013),
    ):
        payload = payload_bytes(
            chain.id, fixed.alice, 1, Time(chain.now() + 60_000), (pay(fixed, amount),)
        )
        tried = chain.dry_run(payload)
        assert (tried.outcome, tried.number) == (outcome, number)
    assert chain.head() == before


def test_the_status_of_an_id_from_unknown_to_applied(
    fixed: FixedChain, chain: Chain, alice: Wallet
) -> None:
    """
    Given a transaction's id,
    when its status is asked before, after, and for one whose time is over,
    then it is unknown, applied, and certain never to happen.
    """
    payload = payload_bytes(
        chain.id, fixed.alice, 1, Time(chain.now() + 60_000), (pay(fixed, "1.00"),)
    )
    identity = transaction_id(payload)
    assert chain.status(identity).state == "unknown"
    applied = chain.submit(sign(payload, [key("alice")]))
    status = chain.status(identity)
    assert (status.state, status.height) == ("applied", applied.height)
    gone = chain.status("00" * 32, expires=BEGIN)
    assert (gone.state, gone.never) == ("unknown", True)
    assert not chain.status("00" * 32, expires=BEGIN + 10**9).never


def test_signatures_from_several_places_come_together(fixed: FixedChain, chain: Chain) -> None:
    """
    Given one payload that bank and a new key have signed apart,
    when both transactions are combined and submitted,
    then the account is opened; different payloads don't combine.
    """
    carol = key("carol")
    payload = payload_bytes(
        chain.id, fixed.bank, 2, Time(chain.now() + 60_000), (single_key(carol.key_id),)
    )
    parts = [sign(payload, [key("bank")]), sign(payload, [carol])]
    assert chain.submit(combine(parts)).made
    with pytest.raises(ValueError, match="same payload"):
        combine([parts[0], fixed.pay("1.00")])


def test_a_wallet_goes_on_after_an_invalid_transaction(
    fixed: FixedChain, chain: Chain, alice: Wallet
) -> None:
    """
    Given a wallet with the wrong key,
    when its payment is invalid and another wallet of the account pays,
    then nonces are asked for anew and the payment is applied.
    """
    wrong = chain.wallet(fixed.alice, key("mallory"))
    with pytest.raises(InvalidTransaction) as caught:
        wrong.send(pay(fixed, "1.00"))
    assert caught.value.why is Invalid.THRESHOLD_IS_NOT_MET
    assert alice.send(pay(fixed, "1.00")).receipt.outcome == "applied"
    assert alice.send(pay(fixed, "1.00")).index == 0


def test_an_audit_finds_nothing_broken(fixed: FixedChain, chain: Chain, alice: Wallet) -> None:
    """
    Given a chain with some payments,
    when all invariants are asked,
    then all hold.
    """
    alice.send(pay(fixed, "3.00"))
    assert chain.audit() == []


def test_what_is_not_there_is_said_so(chain: Chain) -> None:
    """
    Given names and ids that nothing has,
    when they are asked for,
    then it is a lookup error, not a wrong answer.
    """
    with pytest.raises(LookupError):
        chain.prove_transaction("ab" * 32)
    with pytest.raises(KeyError):
        chain.prove_row("asset.debts", ("0" * 40,))
    with pytest.raises(LookupError):
        chain.block(10_000)


def test_the_same_with_await(fixed: FixedChain) -> None:
    """
    Given the asynchronous client,
    when payments, a refusal and queries go through it at once,
    then each has the answer that the other client gives.
    """

    async def story() -> tuple[list[Applied], int, asset.Holding | None]:
        async with AsyncChain(fixed.running(clock)) as ledger:
            wires = [fixed.pay("0.50") for _ in range(20)]
            answers = await asyncio.gather(*(ledger.submit(wire) for wire in wires))
            with pytest.raises(Refused) as caught:
                await ledger.submit(fixed.pay("500.00"))
            await ledger.query(asset.show, fixed.cny)
            return (
                answers,
                caught.value.number,
                await ledger.query(asset.balance, fixed.shop, fixed.cny),
            )

    answers, number, held = asyncio.run(story())
    assert len({answer.id for answer in answers}) == 20
    assert number == asset.Why.BALANCE_IS_TOO_LOW.number
    assert held is not None and held.amount == Amount("10.00")


def test_pages_go_on_where_they_ended(fixed: FixedChain, chain: Chain) -> None:
    """
    Given a bank that has defined 150 assets,
    when they are listed a page at a time,
    then the pages together have each once, and a foreign cursor is refused.
    """
    bank = chain.wallet(fixed.bank, key("bank"))
    defines = [asset.Define(code=AssetCode(f"A{at}"), scale=Small(0)) for at in range(150)]
    bank.send(*defines)
    first = chain.query(asset.issued_by, fixed.bank)
    second = chain.query(asset.issued_by, fixed.bank, first.after)
    assert (len(first.rows), len(second.rows), second.after) == (100, 51, None)
    assert len({row_id for row_id, _ in (*first.rows, *second.rows)}) == 151
    with pytest.raises(ValueError, match="another query"):
        chain.query(asset.issued_by, fixed.alice, first.after)
