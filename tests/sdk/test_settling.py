"""After an answer that was lost: a wallet goes on with the same bytes, and pays nothing twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import msgspec
import pytest

from tests.fixed_chain import BEGIN, FixedChain, key
from tests.node.conftest import Served, serving
from tests.sdk.test_http import Flaky, at_once, pay
from tongbao.kernel import Amount, Invalid, InvalidTransaction
from tongbao.modules import asset
from tongbao.modules.registry import registry
from tongbao.sdk import steps, submitting
from tongbao.sdk.answers import ManyAnswers, Problem, SubmitAnswer, TransactionAnswer
from tongbao.sdk.asking import Answered, Ask, Pause
from tongbao.sdk.client import Applied, Status
from tongbao.sdk.errors import NodeError, Unreachable, Unreadable, Unsettled, id_and_expiry
from tongbao.sdk.http import HttpChain
from tongbao.sdk.http_asynchronous import AsyncHttpChain


@pytest.fixture
def served() -> Iterator[Served]:
    """A node with the usual settings."""
    with serving() as found:
        yield found


class Switch:
    """Loses every answer to a POST while it is off."""

    def __init__(self) -> None:
        """Begin switched on."""
        self.on = True

    def loses(self, request: httpx2.Request, count: int) -> bool:
        """Whether this answer is lost."""
        return not self.on and request.method == "POST"


class FlakyAsync(httpx2.AsyncBaseTransport):
    """As `Flaky`, for the client with `await`."""

    def __init__(self, loses: Callable[[httpx2.Request, int], bool]) -> None:
        """Lose the answers that `loses` says."""
        self._real = httpx2.AsyncHTTPTransport()
        self._loses = loses

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it, and perhaps lose what comes back."""
        answer = await self._real.handle_async_request(request)
        if self._loses(request, 0):
            await answer.aread()
            await answer.aclose()
            raise httpx2.ReadError("the connection broke before the answer")
        return answer

    async def aclose(self) -> None:
        """Close the real connections."""
        await self._real.aclose()


def test_a_wallet_settles_what_it_sent_before_it_sends_anything_new(served: Served) -> None:
    """
    Given a payment that is applied, although every answer is lost,
    when the wallet is asked to send it anew, and then to settle it,
    then the first is refused with the bytes that are open, and the second tells what happened.
    """
    switch = Switch()
    client = httpx2.Client(base_url=served.address, transport=Flaky(switch.loses))
    with HttpChain(served.address, client=client, wait=at_once) as chain:
        alice = chain.wallet(served.fixed.alice, key("alice"))
        first = alice.send(pay(served, "1.00"))
        switch.on = False
        with pytest.raises(Unreachable, match="settle it") as open_one:
            alice.send(pay(served, "2.00"))
        undecided = open_one.value.transaction
        assert undecided is not None
        with pytest.raises(Unsettled, match=open_one.value.id) as refused:
            alice.send(pay(served, "2.00"))
        with pytest.raises(Unreachable) as still:
            alice.settle(undecided)
        switch.on = True
        second = alice.settle(undecided)
        third = alice.send(pay(served, "4.00"))
        balance = chain.query(asset.balance, served.fixed.shop, served.fixed.cny)

    assert refused.value.transactions == (undecided,)
    assert still.value.transaction == undecided
    assert (open_one.value.id, open_one.value.expires) == id_and_expiry(undecided)
    assert second.id == open_one.value.id
    assert alice.unsettled == ()
    assert [one.height for one in (first, second, third)] == [2, 3, 4]
    assert balance == asset.Holding(amount=Amount("7.00"))


def test_the_asynchronous_wallet_settles_the_same_way(served: Served) -> None:
    """
    Given a client with `await` that is cancelled, and one whose answers are lost,
    when its wallet sends anew, and settles or abandons,
    then nothing is sent before, and nothing happens twice.
    """
    switch = Switch()

    async def story() -> None:
        transport = FlakyAsync(switch.loses)
        client = httpx2.AsyncClient(base_url=served.address, transport=transport)
        async with AsyncHttpChain(client, registry(), patience_s=0.5) as chain:
            chain._meet(await chain._do(steps.chain()))
            alice = chain.wallet(served.fixed.alice, key("alice"))
            await alice.send(pay(served, "1.00"))
            switch.on = False
            with pytest.raises(Unreachable) as open_one:
                await alice.send(pay(served, "2.00"))
            with pytest.raises(Unsettled):
                await alice.send(pay(served, "2.00"))
            switch.on = True
            (undecided,) = alice.unsettled
            assert open_one.value.transaction == undecided
            assert (await alice.settle(undecided)).height == 3
            cancelled = asyncio.create_task(alice.send(pay(served, "4.00")))
            while not cancelled.done():
                await asyncio.wait({cancelled}, timeout=0)
                cancelled.cancel()
            for transaction in alice.unsettled:
                await alice.settle(transaction)
            switch.on = False
            with pytest.raises(Unreachable) as lost:
                await alice.send(pay(served, "8.00"))
            assert lost.value.transaction is not None
            alice.abandon(lost.value.transaction)
            switch.on = True
            await alice.send(pay(served, "16.00"))

    asyncio.run(story())
    paid = served.chain.query(asset.balance, served.fixed.shop, served.fixed.cny)
    assert paid in [asset.Holding(amount=Amount(text)) for text in ("27.00", "31.00")]


def test_a_batch_that_is_lost_gives_each_transaction_back(served: Served) -> None:
    """
    Given a connection that loses every answer to a POST,
    when a batch is submitted, with something that is no transaction in it, and then again,
    then each answer carries its own bytes, and the second time each is applied, once.
    """
    switch = Switch()
    client = httpx2.Client(base_url=served.address, transport=Flaky(switch.loses))
    wires = [served.fixed.pay("1.00") for _ in range(3)]
    with HttpChain(served.address, client=client, wait=at_once) as chain:
        switch.on = False
        lost = chain.submit_many([*wires, b"{"])
        switch.on = True
        carried = [one.transaction for one in lost if isinstance(one, Unreachable)]
        found = chain.submit_many([one for one in carried if one])
        balance = chain.query(asset.balance, served.fixed.shop, served.fixed.cny)

    assert carried == wires
    assert isinstance(lost[3], InvalidTransaction)
    assert [type(one) for one in found] == [Applied] * 3
    assert balance == asset.Holding(amount=Amount("3.00"))


def walked(wire: bytes, *answers: Any, patience: int = 9) -> tuple[Any, list[Ask | Pause]]:
    """What submitting comes to when a node answers this, and the steps that were taken."""
    walk = submitting.submit(registry(), wire)
    taken: list[Ask | Pause] = []
    left = iter(answers)
    given: Any = None
    while True:
        try:
            step = walk.send(given)
        except StopIteration as end:
            return end.value, taken
        assert isinstance(step, Ask | Pause)
        taken.append(step)
        if isinstance(step, Pause):
            given = len(taken) < patience
            continue
        answer = next(left)
        status = answer.status if isinstance(answer, Problem) else 200
        raw = answer if isinstance(answer, bytes) else msgspec.json.encode(answer)
        given = Answered(status, raw)


NONCE_WAS_USED = Problem("about:blank", "used", 400, number=Invalid.NONCE_WAS_USED.number)
WAITS = TransactionAnswer("pending", 5)


def test_one_that_still_waits_is_not_told_as_lost() -> None:
    """
    Given a node that calls a transaction invalid while an earlier copy of it still waits,
    when it is submitted,
    then the client asks until it is decided: applied, or, when its patience ends, still open.
    """
    fixed = FixedChain()
    wire = fixed.pay("1.00")
    fixed.make(wire)
    identifier, _ = id_and_expiry(wire)
    done = fixed.reading().prove_transaction(identifier)
    told = TransactionAnswer("applied", 5, False, 2, 0, 0, "", wire.decode(), {}, done.receipt)
    found, taken = walked(wire, NONCE_WAS_USED, WAITS, WAITS, told)

    assert (found.id, found.height, found.index) == (identifier, 2, 0)
    assert [type(step) for step in taken] == [Ask, Ask, Pause, Ask, Pause, Ask]
    with pytest.raises(Unreachable, match="pending") as still:
        walked(wire, NONCE_WAS_USED, *[WAITS] * 9)
    assert still.value.transaction == wire
    with pytest.raises(InvalidTransaction, match="NONCE_WAS_USED"):
        walked(wire, NONCE_WAS_USED, TransactionAnswer("unknown", 5))
    with pytest.raises(InvalidTransaction, match="EXPIRY_HAS_PASSED"):
        walked(wire, SubmitAnswer("pending"), WAITS, TransactionAnswer("unknown", 5, True))


def test_patience_with_one_of_a_batch_is_patience_with_all(served: Served) -> None:
    """
    Given a node that tells each of a batch as pending, and as waiting whenever it is asked,
    when three transactions are submitted by a client whose patience ends at its second question,
    then each is given back as open, with its own bytes, and no more was asked for the others.
    """
    wires = [served.fixed.pay("1.00") for _ in range(3)]
    walk = submitting.submit_many(registry(), wires)
    waits = Answered(200, msgspec.json.encode(WAITS))
    many = ManyAnswers((SubmitAnswer("pending"),) * 3)
    assert isinstance(walk.send(None), Ask)
    for step, answer in [
        (Ask, Answered(200, msgspec.json.encode(many))),
        (Pause, waits),
        (Ask, True),
        (Pause, waits),
    ]:
        assert isinstance(walk.send(answer), step)
    with pytest.raises(StopIteration) as end:
        walk.send(False)

    found = end.value.value
    assert [(type(one), one.transaction) for one in found] == [(Unreachable, w) for w in wires]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 5000,
        b'{"state":1}',
        b'{"state":"applied","id":"a","receipt":{}}',
        b'{"state":"applied","id":"a","height":2,"index":0,"receipt":[1]}',
        b'{"state":"refused","id":"a","number":2001,"receipt":[1]}',
        b"<html>Welcome to the hotel's network</html>",
    ],
)
def test_an_answer_that_is_none_is_an_error_of_the_node(answer: bytes) -> None:
    """
    Given a node, or something before it, that answers with anything else than the interface says,
    when a transaction is submitted,
    then it is an error of the node, not of msgspec.
    """
    with pytest.raises(Unreadable, match="can't be read"):
        walked(FixedChain().pay("1.00"), answer)


def test_a_wallet_keeps_what_a_strange_answer_leaves_open(served: Served) -> None:
    """
    Given somebody on the connection who garbles the answer to a payment,
    when the wallet sends it, and another one,
    then the first stays open, and the other is not sent.
    """

    class Garbling(httpx2.BaseTransport):
        """Answers with no JSON, after the node has had the request."""

        def __init__(self) -> None:
            self._real = httpx2.HTTPTransport()

        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            answer = self._real.handle_request(request)
            answer.read()
            answer.close()
            return answer if request.method == "GET" else httpx2.Response(200, content=b"<html>")

        def close(self) -> None:
            self._real.close()

    client = httpx2.Client(base_url=served.address, transport=Garbling())
    with HttpChain(served.address, client=client) as chain:
        alice = chain.wallet(served.fixed.alice, key("alice"))
        with pytest.raises(NodeError):
            alice.send(pay(served, "1.00"))
        with pytest.raises(Unsettled):
            alice.send(pay(served, "1.00"))

    with HttpChain(served.address) as honest:
        assert honest.submit(alice.unsettled[0]).height == 2


@pytest.mark.parametrize("limits", [{"batch_transactions": 3}, {"body_bytes": 8192}])
def test_a_batch_that_is_too_large_for_a_node_is_halved(limits: dict[str, Any]) -> None:
    """
    Given a node that takes few transactions or bytes at once,
    when many more are submitted at once,
    then all are applied, once each.
    """
    with serving(**limits) as served, HttpChain(served.address) as chain:
        found = chain.submit_many([served.fixed.pay("1.00") for _ in range(25)])
        balance = chain.query(asset.balance, served.fixed.shop, served.fixed.cny)

    assert [type(one) for one in found] == [Applied] * 25
    assert balance == asset.Holding(amount=Amount("25.00"))


class Looking:
    """The authority's key, which looks at a transaction's status before it signs a header."""

    def __init__(self, look: Callable[[], Status]) -> None:
        """Look with this."""
        self._key = key("authority")
        self._look = look
        self.seen: list[Status] = []

    @property
    def key_id(self) -> str:
        """The authority's."""
        return self._key.key_id

    def sign(self, message: bytes) -> bytes:
        """Look, then sign."""
        self.seen.append(self._look())
        return self._key.sign(message)


def test_a_transaction_in_the_block_that_is_being_made_is_pending() -> None:
    """
    Given a payment that has left the queue, and whose block is not durable yet,
    when its status is asked for,
    then it is pending: unknown would tempt one to take it for lost.
    """
    fixed = FixedChain()
    wire = fixed.pay("1.00")
    identifier, expires = id_and_expiry(wire)
    looking = Looking(lambda: chain.status(identifier, expires))
    fixed.producer.signer = looking
    with fixed.running(lambda: BEGIN + 60_000) as chain:
        chain.submit(wire)
        after = chain.status(identifier)

    assert [one.state for one in looking.seen] == ["pending"]
    assert (after.state, after.height) == ("applied", 2)
