"""Streams: everything once, in order, from any place on, however the connection ends."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.node.conftest import Served, serving
from tests.node.test_submitting import problem
from tongbao.sdk.http import HttpChain


def data_of(answer: httpx2.Response) -> Iterator[Any]:
    """The JSON of each event."""
    for line in answer.iter_lines():
        if line.startswith("data: "):
            yield json.loads(line[6:])


def some(served: Served, count: int, **query: str) -> list[Any]:
    """The first events of a stream."""
    with served.client.stream("GET", "/v1/events", params=query) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        return list(itertools.islice(data_of(answer), count))


def test_a_stream_tells_everything_from_its_cursor_on(served: Served) -> None:
    """
    Given three payments, the second of which is refused,
    when a stream begins after each place,
    then it tells what came later, in order, with numbers.
    """
    for amount in ("1.00", "999.00", "2.00"):
        served.send(served.fixed.pay(amount))
    told = some(served, 4, after="0.0")

    assert [(one["cursor"], one.get("number", 0)) for one in told] == [
        ("1.0", 0),
        ("2.0", 0),
        ("3.0", 2013),
        ("4.0", 0),
    ]
    assert some(served, 2, after="2.0") == told[2:]


def test_a_stream_goes_on_while_blocks_are_made(served: Served) -> None:
    """
    Given a stream from now on,
    when payments are made while it is open,
    then it tells each of them once.
    """
    with served.client.stream("GET", "/v1/events") as answer:
        told = data_of(answer)
        ids = [served.send(served.fixed.pay("0.01")).json()["id"] for _ in range(5)]
        assert [next(told)["id"] for _ in range(5)] == ids


def test_filters_tell_only_what_mentions_everything(served: Served) -> None:
    """
    Given payments to the shop and an issue to alice,
    when streams filter by account, by type and by both,
    then each tells just those that mention them.
    """
    served.send(served.fixed.pay("1.00"))
    to_shop = some(served, 1, after="0.0", account=str(served.fixed.shop))
    issues = some(served, 1, after="0.0", type="asset.issue")
    both = some(served, 1, after="0.0", type="asset.moved", account=str(served.fixed.shop))

    assert [one[0]["height"] for one in (to_shop, issues, both)] == [2, 1, 2]


def test_an_event_source_resumes_by_its_last_id(served: Served) -> None:
    """
    Given an event source that saw the event 1.0,
    when it connects again with Last-Event-ID,
    then the next event is the one after; a header that is no cursor is refused.
    """
    served.send(served.fixed.pay("1.00"))
    headers = {"last-event-id": "1.0"}
    with served.client.stream("GET", "/v1/events", headers=headers) as answer:
        assert next(data_of(answer))["cursor"] == "2.0"
    problem(served.client.get("/v1/events", headers={"last-event-id": "x.y"}), 400)


def test_a_websocket_tells_the_same(served: Served) -> None:
    """
    Given two payments,
    when a WebSocket follows from the beginning,
    then it tells what the event stream tells.
    """
    for _ in range(2):
        served.send(served.fixed.pay("1.00"))
    address = served.address.replace("http", "ws") + "/v1/events/socket?after=0.0"
    with connect(address) as socket:
        told = [json.loads(socket.recv(timeout=30)) for _ in range(3)]

    assert told == some(served, 3, after="0.0")


@pytest.mark.parametrize("query", ["after=99.0", "after=x", "account=zz", "what=1"])
def test_a_websocket_with_a_wrong_cursor_is_closed(served: Served, query: str) -> None:
    """
    Given a WebSocket with parameters that make no sense,
    when it connects,
    then it is refused.
    """
    address = served.address.replace("http", "ws") + f"/v1/events/socket?{query}"
    with pytest.raises((ConnectionClosed, InvalidStatus)), connect(address) as socket:
        socket.recv(timeout=30)


def test_streams_are_counted_and_end_with_the_node() -> None:
    """
    Given a node that serves two streams at once,
    when a third is opened, and then the node stops,
    then the third is told to come later, and the others end by themselves.
    """
    with serving(streams=2) as served:
        ended: list[list[Any]] = []

        def follow() -> None:
            with httpx2.stream("GET", f"{served.address}/v1/events") as answer:
                opened.release()
                ended.append(list(data_of(answer)))

        opened = threading.Semaphore(0)
        followers = [threading.Thread(target=follow) for _ in range(2)]
        for follower in followers:
            follower.start()
            opened.acquire()
        third = served.client.get("/v1/events")
        problem(third, 503)
    for follower in followers:
        follower.join(timeout=30)

    assert ended == [[], []]


def test_a_client_follows_through_a_restart(served: Served) -> None:
    """
    Given a client that follows from the beginning,
    when its connection is cut after each event,
    then it goes on where it was, and misses and doubles nothing.
    """
    for _ in range(3):
        served.send(served.fixed.pay("1.00"))
    with HttpChain(served.address) as remote:
        following = remote.happenings(after="0.0")
        told = [next(following).cursor for _ in range(2)]
        remote._client.close()
        remote._client.__init__(base_url=served.address)  # type: ignore[misc]
        again = remote.happenings(after=told[-1])
        told += [next(again).cursor for _ in range(2)]

    assert told == ["1.0", "2.0", "3.0", "4.0"]
