"""When a client asks again: what a node says of "later", and how long patience lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial

import httpx2
import pytest

from tests.node.conftest import Served, serving
from tongbao.modules.registry import registry
from tongbao.sdk import steps
from tongbao.sdk.errors import NodeError, Unreachable
from tongbao.sdk.http import HttpChain
from tongbao.sdk.http_asynchronous import AsyncHttpChain
from tongbao.sdk.http_shared import retry_after_s

DATE = "Wed, 25 Nov 2026 10:00:00 GMT"


@pytest.fixture
def served() -> Iterator[Served]:
    """A node with the usual settings."""
    with serving() as found:
        yield found


class Answering(httpx2.BaseTransport):
    """Before each request reaches a real node, something else may answer."""

    def __init__(self, answers: Callable[[int], httpx2.Response | None]) -> None:
        """Give what `answers` says of the request of this number, else what the node says."""
        self._real = httpx2.HTTPTransport()
        self._answers = answers
        self._count = 0

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer, or ask the node."""
        self._count += 1
        return self._answers(self._count) or self._real.handle_request(request)

    def close(self) -> None:
        """Close the real connections."""
        self._real.close()


@pytest.mark.parametrize(
    ("later", "date", "seconds"),
    [
        ("7", "", 7.0),
        ("Wed, 25 Nov 2026 10:00:09 GMT", DATE, 9.0),
        ("Wed, 25 Nov 2026 09:59:00 GMT", DATE, 0.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", "", 0.0),
        ("", DATE, 0.0),
        ("-3", DATE, 0.0),
        ("soon", DATE, 0.0),
        ("٣", DATE, 0.0),
        ("Wed, 99 Nov 2026 10:00:09 GMT", DATE, 0.0),
        ("Wed, 25 Nov 2026 10:00:09 GMT", "yesterday", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(later: str, date: str, seconds: float) -> None:
    """
    Given a Retry-After header of either form, or a wrong one,
    when it is read,
    then it is the seconds that it means, or none.
    """
    assert retry_after_s(later, date) == seconds


def test_a_node_that_says_later_is_believed_up_to_a_minute(served: Served) -> None:
    """
    Given a node that answers 503 and 429 with times to wait for: a number, a date, ten minutes,
    when a patient client says hello,
    then it waits as long as it was told, at least its own pause, and a minute at most.
    """
    told: tuple[dict[str, str], ...] = (
        {"retry-after": "7"},
        {"retry-after": "Wed, 25 Nov 2026 10:00:09 GMT", "date": DATE},
        {"retry-after": "600"},
        {},
        {"retry-after": "0"},
    )
    later = iter(httpx2.Response(503 if "date" in one else 429, headers=one) for one in told)
    client = httpx2.Client(
        base_url=served.address, transport=Answering(lambda count: next(later, None))
    )
    pauses: list[float] = []
    with HttpChain(served.address, client=client, wait=pauses.append, patience_s=90) as chain:
        assert chain.id == served.chain.id

    assert pauses == [7.0, 9.0, 60.0, 0.8, 1.6]


@pytest.mark.parametrize(("patience_s", "attempts"), [(0, 1), (0.5, 3), (2, 5)])
def test_patience_ends_when_it_is_told_to(patience_s: float, attempts: int) -> None:
    """
    Given a client that is told how long to go on, and nobody who listens,
    when it says hello, in both colours,
    then it gives up after as many attempts as that time holds.
    """
    text = f"asked {attempts} times"
    pauses: list[float] = []
    with pytest.raises(Unreachable, match=text):
        HttpChain("http://127.0.0.1:9", wait=pauses.append, patience_s=patience_s)
    with pytest.raises(Unreachable, match=text):
        asyncio.run(AsyncHttpChain.connect("http://127.0.0.1:9", patience_s=patience_s))


def test_who_gives_up_says_what_the_node_has_said(served: Served) -> None:
    """
    Given a node whose signer is away, which says so to who asks,
    when a client's patience ends,
    then its error has the node's words.
    """
    said = {"type": "about:blank", "title": "Service Unavailable", "status": 503}
    later = httpx2.Response(503, json=said | {"detail": "the authority's signer is away"})
    client = httpx2.Client(base_url=served.address, transport=Answering(lambda count: later))
    with pytest.raises(Unreachable, match="asked 1 times: the authority's signer is away"):
        HttpChain(served.address, client=client, patience_s=0)


def test_a_wait_that_is_longer_than_patience_ends_at_once(served: Served) -> None:
    """
    Given a node that asks to wait for half a minute, and a client with patience for ten seconds,
    when it says hello,
    then it does not wait at all.
    """
    later = httpx2.Response(503, headers={"retry-after": "30"})
    client = httpx2.Client(base_url=served.address, transport=Answering(lambda count: later))
    pauses: list[float] = []
    with pytest.raises(Unreachable, match="asked 1 times"):
        HttpChain(served.address, client=client, wait=pauses.append, patience_s=10)

    assert pauses == []


def after_hello(answer: httpx2.Response, count: int) -> httpx2.Response | None:
    """Let the client's hello through; after that, always the same."""
    return answer if count > 1 else None


def test_answers_that_are_none_are_errors_of_the_node(served: Served) -> None:
    """
    Given somebody who answers reads with a page of a hotel, a wrong type, or a redirect,
    when a client asks for its head, a row's nonce and a proof,
    then each is a NodeError.
    """
    strange = (
        httpx2.Response(200, content=b"<html>"),
        httpx2.Response(200, content=b'{"height":"two"}'),
        httpx2.Response(302, headers={"location": "/login"}),
        httpx2.Response(418, content=b"\xff"),
    )
    for one in strange:
        answers = partial(after_hello, one)
        client = httpx2.Client(base_url=served.address, transport=Answering(answers))
        with HttpChain(served.address, client=client) as chain:
            for ask in (
                chain.head,
                lambda: chain.next_nonce(served.fixed.alice),
                lambda: chain.prove_row("asset.holdings", (served.fixed.alice, served.fixed.cny)),
                lambda: chain.movements_of(served.fixed.alice),
            ):
                with pytest.raises(NodeError):
                    ask()


def test_a_closed_client_gives_up_at_once(served: Served) -> None:
    """
    Given a client that is closed while it is used, in both colours,
    when it is asked for something,
    then it is unreachable, and says with which transaction.
    """
    chain = HttpChain(served.address)
    chain.close()
    wire = served.fixed.pay("1.00")
    with pytest.raises(Unreachable) as caught:
        chain.submit(wire)
    assert caught.value.transaction == wire

    async def story() -> None:
        client = httpx2.AsyncClient(base_url=served.address)
        other = AsyncHttpChain(client, registry())
        await other._do(steps.chain())
        await other.close()
        with pytest.raises(Unreachable):
            await other.head()

    asyncio.run(story())


def test_history_is_asked_for_in_both_colours(served: Served) -> None:
    """
    Given three payments,
    when history is asked for by account, asset and reference,
    then both clients tell the same, the newest first, a page at a time.
    """
    fixed = served.fixed
    with HttpChain(served.address) as chain:
        paid = [chain.submit(fixed.pay(f"{amount}.00")) for amount in (1, 2, 3)]
        page = chain.movements_of(fixed.shop, asset=fixed.cny, limit=2)
        rest = chain.movements_of(fixed.shop, asset=fixed.cny, before=page.before)
        whole = (
            chain.movements_of_asset(fixed.cny, limit=1),
            chain.transactions_of(fixed.alice),
            chain.by_reference("deposit-1"),
        )

    async def story() -> None:
        async with await AsyncHttpChain.connect(served.address) as other:
            assert await other.movements_of(fixed.shop, asset=fixed.cny, limit=2) == page
            assert whole == (
                await other.movements_of_asset(fixed.cny, limit=1),
                await other.transactions_of(fixed.alice),
                await other.by_reference("deposit-1"),
            )

    asyncio.run(story())
    assert [(one.id, one.amount) for one in (*page.movements, *rest.movements)] == [
        (paid[2].id, "3.00"),
        (paid[1].id, "2.00"),
        (paid[0].id, "1.00"),
    ]
    assert [one.amount for one in whole[0].movements] == ["3.00"]
    assert len(whole[1].transactions) >= 3
    assert [one.height for one in whole[2].transactions] == [1]
