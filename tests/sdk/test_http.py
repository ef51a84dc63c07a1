"""The client over HTTP: the same interface as in process, and nothing is done twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import httpx2
import pytest

from tests.fixed_chain import BEGIN, HOUR, FixedChain, key
from tests.node.conftest import Served, serving, serving_chain
from tongbao.kernel import Amount, Invalid, InvalidTransaction
from tongbao.kernel.envelope import decode_envelope
from tongbao.modules import asset
from tongbao.sdk import to_json, verify
from tongbao.sdk.client import Applied, Refused
from tongbao.sdk.errors import Unreachable
from tongbao.sdk.http import HttpChain
from tongbao.sdk.http_asynchronous import AsyncHttpChain


@pytest.fixture
def served() -> Iterator[Served]:
    """A node with the usual settings."""
    with serving() as found:
        yield found


def at_once(seconds: float) -> None:
    """Tests need not wait between attempts."""


class Flaky(httpx2.BaseTransport):
    """A real connection that loses answers, after the node has had the request."""

    def __init__(self, loses: Callable[[httpx2.Request, int], bool]) -> None:
        """Lose the answers that `loses` says, given the request and how many came before."""
        self._real = httpx2.HTTPTransport()
        self._loses = loses
        self._count = 0

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it, and perhaps lose what comes back."""
        answer = self._real.handle_request(request)
        self._count += 1
        if self._loses(request, self._count):
            answer.read()
            answer.close()
            raise httpx2.ReadError("the connection broke before the answer")
        return answer

    def close(self) -> None:
        """Close the real connections."""
        self._real.close()


def pay(served: Served, amount: str) -> asset.Transfer:
    """Alice's payment to the shop."""
    return asset.Transfer(asset=served.fixed.cny, amount=Amount(amount), payee=served.fixed.shop)


def test_a_wallet_pays_and_reads_its_own_writes(served: Served) -> None:
    """
    Given a wallet over HTTP,
    when it pays, and asks for the balance at once,
    then the answer has the payment in it, and the proofs verify.
    """
    with HttpChain(served.address) as chain:
        alice = chain.wallet(served.fixed.alice, key("alice"))
        paid = alice.send(pay(served, "12.50"))
        balance = chain.query(asset.balance, served.fixed.shop, served.fixed.cny)
        page = chain.query(asset.held_by, served.fixed.alice)
        trust = to_json(chain.trust())
        proof = chain.prove_row("asset.holdings", (served.fixed.shop, served.fixed.cny))

        assert balance == asset.Holding(amount=Amount("12.50"))
        assert page.rows[0][1] == asset.Holding(amount=Amount("87.50"))
        assert verify(to_json(proof), trust).value["amount"] == "12.50"
        assert verify(to_json(chain.prove_transaction(paid.id)), trust).transaction_id == paid.id
        assert chain.status(paid.id).state == "applied"
        assert chain.head().height == paid.height == 2


def test_refusals_and_invalid_ones_are_the_same_exceptions(served: Served) -> None:
    """
    Given a payment that is too large, and one that somebody else signed,
    when they are submitted over HTTP,
    then they raise what they raise in process.
    """
    with HttpChain(served.address) as chain:
        with pytest.raises(Refused) as refused:
            chain.wallet(served.fixed.alice, key("alice")).send(pay(served, "999.00"))
        with pytest.raises(InvalidTransaction) as invalid:
            chain.wallet(served.fixed.alice, key("bank")).send(pay(served, "1.00"))

    assert refused.value.number == asset.Why.BALANCE_IS_TOO_LOW.number
    assert invalid.value.why is Invalid.THRESHOLD_IS_NOT_MET


def test_an_answer_that_is_lost_doubles_no_payment(served: Served) -> None:
    """
    Given a connection that loses every other answer,
    when ten payments are sent through it,
    then each is told as applied, and each has happened once.
    """
    client = httpx2.Client(
        base_url=served.address, transport=Flaky(lambda request, count: count % 2 == 1)
    )
    with HttpChain(served.address, client=client, wait=at_once) as chain:
        alice = chain.wallet(served.fixed.alice, key("alice"))
        paid = [alice.send(pay(served, "1.00")) for _ in range(10)]
        balance = chain.query(asset.balance, served.fixed.shop, served.fixed.cny)

    assert len({one.id for one in paid}) == 10
    assert balance == asset.Holding(amount=Amount("10.00"))


def test_a_batch_whose_answer_is_lost_doubles_nothing(served: Served) -> None:
    """
    Given a connection that loses the first answer to a batch,
    when twenty payments are submitted at once, one of them too large,
    then nineteen are applied, once each, and one is refused.
    """
    lost = Flaky(lambda request, count: request.method == "POST" and count == 2)
    client = httpx2.Client(base_url=served.address, transport=lost)
    amounts = ["1.00"] * 19 + ["999.00"]
    with HttpChain(served.address, client=client, wait=at_once) as chain:
        answers = chain.submit_many([served.fixed.pay(amount) for amount in amounts])
        balance = chain.query(asset.balance, served.fixed.shop, served.fixed.cny)

    assert [type(answer) for answer in answers] == [Applied] * 19 + [Refused]
    assert balance == asset.Holding(amount=Amount("19.00"))


@pytest.mark.parametrize("count", [1, 2])
def test_payments_that_expired_while_the_answer_was_lost_are_told_as_applied(count: int) -> None:
    """
    Given one payment or two that are applied, and whose answer is lost,
    when the client sends them again two hours later, so that they have expired,
    then they are not told as invalid, which would tempt one to pay again, but as applied.
    """
    fixed = FixedChain()
    past: list[int] = []
    with (
        fixed.running(lambda: BEGIN + 60_000 + (2 * HOUR if past else 0)) as chain,
        serving_chain(fixed, chain) as served,
    ):
        chain.listen(past.append)
        lost = Flaky(lambda request, number: request.method == "POST" and number == 3)
        client = httpx2.Client(base_url=served.address, transport=lost)
        with HttpChain(served.address, client=client, wait=at_once) as remote:
            alice = remote.wallet(fixed.alice, key("alice"))
            built = [alice.build(pay(served, "1.00")) for _ in range(count)]
            answers = [remote.submit(*built)] if count == 1 else remote.submit_many(built)

    assert [isinstance(answer, Applied) and answer.height for answer in answers] == [2] * count


def test_a_node_that_is_not_there_is_unreachable() -> None:
    """
    Given an address where nobody listens,
    when a client says hello,
    then it asks again with growing pauses, and gives up with a clear error.
    """
    pauses: list[float] = []
    with pytest.raises(Unreachable, match="asked 11 times"):
        HttpChain("http://127.0.0.1:9", wait=pauses.append)

    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0, 5.0]


def test_a_dry_run_says_the_same_as_in_process(served: Served) -> None:
    """
    Given a payload that would be refused,
    when it is tried over HTTP and in process,
    then both say the same.
    """
    payload = decode_envelope(served.fixed.pay("999.00")).payload
    with HttpChain(served.address) as chain:
        assert chain.dry_run(payload) == served.chain.dry_run(payload)


def test_the_asynchronous_client_says_the_same(served: Served) -> None:
    """
    Given the client with `await`,
    when it pays ten times at once and reads,
    then all are applied, its reads have them, and its proofs verify.
    """

    async def story() -> None:
        async with await AsyncHttpChain.connect(served.address) as chain:
            wires = [served.fixed.pay("1.00") for _ in range(10)]
            applied = await asyncio.gather(*map(chain.submit, wires))
            balance = await chain.query(asset.balance, served.fixed.shop, served.fixed.cny)
            more = await chain.submit_many([served.fixed.pay("999.00")])
            proof = await chain.prove_transaction(applied[0].id)
            trust = to_json(await chain.trust())

            assert balance == asset.Holding(amount=Amount("10.00"))
            assert isinstance(more[0], Refused)
            assert verify(to_json(proof), trust).transaction_id == applied[0].id
            assert await chain.next_nonce(served.fixed.alice) == 12
            assert (await chain.status(applied[0].id)).state == "applied"
            assert (await chain.head()).height == served.chain.head().height

    asyncio.run(story())
