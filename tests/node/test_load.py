"""Under load: everybody is answered, memory is bounded, health checks go on, streams wait."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import httpx2
import pytest
from websockets.sync.client import connect

from tests.node.conftest import Served, serving
from tests.node.flood import Listeners, flood, request
from tests.node.process import Ground, Node, lay, running
from tests.node.test_submitting import problem
from tongbao.kernel import Amount
from tongbao.modules import asset

REQUESTS: Final = 100_000
STREAMS: Final = 1_000
SOCKETS: Final = 50
GROWTH_KIB: Final = 65_536
STREAM_KIB: Final = 64
"""What a stream may cost."""


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """A folder with a chain, closed."""
    return lay(tmp_path / "chain")


@contextmanager
def looking(node: Node) -> Iterator[list[tuple[int, float]]]:
    """Ask whether a node lives all the while; the answers' statuses and seconds."""
    done = threading.Event()
    found: list[tuple[int, float]] = []

    def look() -> None:
        with httpx2.Client(base_url=node.address, timeout=30) as client:
            while not done.wait(0.02):
                begun = time.monotonic()
                status = client.get("/livez").status_code
                found.append((status, time.monotonic() - begun))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        done.set()
        thread.join()


def test_a_hundred_thousand_tiny_requests_are_each_answered(ground: Ground) -> None:
    """
    Given a node that takes 500 requests a second from one address,
    when 100,000 tiny ones come over ten connections as fast as they can,
    then each is answered with what it deserves or 429, the node's memory hardly grows, `/livez`
    answers all the while, and an honest payment is taken afterwards.
    """
    kinds = [
        request("/v1/transactions", b"x"),
        request("/v1/blocks/0"),
        request("/nope"),
        request("/v1/transactions", b'{"payload":"'),
    ]
    requests = kinds * (REQUESTS // len(kinds))
    flags = ("--rate-per-s", "500", "--log-level", "warning")
    with running(ground.folder, *flags) as node:
        asyncio.run(flood(node.address, requests[:2_000], connections=10, depth=100))
        before = node.memory_kib()
        with looking(node) as alive:
            found = asyncio.run(flood(node.address, requests, connections=10, depth=100))
        grown = node.memory_kib() - before
        paid = node.send(ground.payment(0, 1))
        while paid.status_code == 429:  # until the rate lets this address in again
            paid = node.send(ground.payment(0, 1))

        print(f"answers {dict(found)}, grown by {grown} KiB, {len(alive)} looks")
        assert found.total() == REQUESTS
        assert set(found) == {200, 400, 404, 429}
        assert found[429] > REQUESTS // 2
        assert paid.status_code == 200
        assert grown < GROWTH_KIB
        assert len(alive) > 10
        assert {status for status, _ in alive} == {200}
        assert max(seconds for _, seconds in alive) < 5


def test_a_thousand_idle_streams_hear_one_payment(ground: Ground) -> None:
    """
    Given a thousand event streams and fifty WebSockets that wait,
    when one payment is made,
    then each of them tells it; they cost little memory, `/livez` answers all the while, one more
    is told to come later, and when they hang up all places are free again.
    """
    flags = ("--streams", str(STREAMS + SOCKETS), "--log-level", "warning")
    with running(ground.folder, *flags) as node, ExitStack() as stack:
        before = node.memory_kib()

        async def story(address: str) -> list[bytes]:
            listeners = Listeners(address)
            await listeners.more(STREAMS)
            sockets = [
                await asyncio.to_thread(
                    stack.enter_context,
                    connect(address.replace("http", "ws") + "/v1/events/socket"),
                )
                for _ in range(SOCKETS)
            ]
            problem(await asyncio.to_thread(node.client.get, "/v1/events"), 503)
            paid = await asyncio.to_thread(node.send, ground.payment(0, 1))
            cursor = f"{paid.json()['height']}.{paid.json()['index']}"
            ids = await listeners.next_ids()
            assert set(ids) == {f"id: {cursor}".encode()}
            heard = [await asyncio.to_thread(one.recv, 30) for one in sockets]
            assert {json.loads(text)["cursor"] for text in heard} == {cursor}
            await listeners.close()
            return ids

        with looking(node) as alive:
            ids = asyncio.run(story(node.address))
        grown = node.memory_kib() - before
        stack.close()
        until = time.monotonic() + 30
        while "tongbao_streams 0.0" not in node.client.get("/metrics").text:
            assert time.monotonic() < until, "streams are still counted"

        print(f"{grown} KiB for {STREAMS + SOCKETS} streams, {len(alive)} looks")
        assert len(ids) == STREAMS
        assert grown < (STREAMS + SOCKETS) * STREAM_KIB
        assert {status for status, _ in alive} == {200}
        assert node.stop() == 0


def test_beyond_its_connections_a_node_answers_for_its_health_alone() -> None:
    """
    Given a node that takes twenty connections, all of which are open,
    when more come,
    then their requests are answered 503 with Retry-After and closed, and `/livez` is answered;
    once some are closed, others are served again.
    """
    with serving(connections=20) as served:
        held = [served.connect() for _ in range(20)]
        with httpx2.Client(base_url=served.address) as late:
            refused = late.get("/v1")
            problem(refused, 503)
            assert refused.headers["retry-after"] == "1"
            assert refused.headers["connection"] == "close"
            assert late.get("/livez").text == "alive\n"
            for connection in held:
                connection.close()
            until = time.monotonic() + 30
            while late.get("/v1").status_code == 503:
                assert time.monotonic() < until, "closed connections are still counted"
            assert late.get("/v1").json()["height"] == 1


def test_a_reader_slower_than_the_chain_misses_nothing(served: Served) -> None:
    """
    Given a stream that is opened and not read,
    when two thousand payments are made, more than any buffer holds,
    then it still tells all of them once it is read.
    """
    message = asset.Transfer(asset=served.fixed.cny, amount=Amount("0.01"), payee=served.fixed.shop)
    with served.client.stream("GET", "/v1/events") as answer:
        for _ in range(20):
            wires = [served.fixed.signed("alice", message) for _ in range(100)]
            texts = [wire.decode() for wire in wires]
            told = httpx2.post(
                f"{served.address}/v1/transactions", json={"transactions": texts}, timeout=60
            )
            assert {one["state"] for one in told.json()["results"]} == {"applied"}
        heard = 0
        for line in answer.iter_lines():
            heard += line.startswith("id: ")
            if heard == 2_000:
                break

    assert heard == 2_000
