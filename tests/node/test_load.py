"""Under load: everybody is answered, health checks go on, streams wait quietly."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx2

from tests.node.conftest import Served, serving
from tongbao.kernel import Amount
from tongbao.modules import asset

REQUESTS = 3_000
STREAMS = 200


def test_thousands_of_tiny_requests_are_each_answered() -> None:
    """
    Given a node whose rate for one address is low,
    when thousands of worthless transactions come over twenty connections,
    then each is answered 400 or 429, and `/livez` answers all the while.
    """
    with serving(rate_per_s=200) as served:
        done = threading.Event()
        alive: list[int] = []

        def look() -> None:
            while not done.is_set():
                alive.append(served.client.get("/livez").status_code)

        def post(count: int) -> list[int]:
            headers = {"content-type": "application/jose"}
            with httpx2.Client(base_url=served.address, timeout=60) as client:
                return [
                    client.post("/v1/transactions", content=b"x", headers=headers).status_code
                    for _ in range(count)
                ]

        looking = threading.Thread(target=look)
        looking.start()
        with ThreadPoolExecutor(20) as pool:
            found = [code for codes in pool.map(post, [REQUESTS // 20] * 20) for code in codes]
        done.set()
        looking.join()

        assert len(found) == REQUESTS
        assert set(found) == {400, 429}
        assert set(alive) == {200}


def test_many_streams_hear_one_payment(served: Served) -> None:
    """
    Given two hundred idle streams,
    when one payment is made,
    then each of them tells it.
    """

    async def hear() -> list[str]:
        limits = httpx2.Limits(max_connections=STREAMS + 1)
        async with httpx2.AsyncClient(base_url=served.address, limits=limits) as client:
            opened = asyncio.Semaphore(0)

            async def one() -> str:
                async with client.stream("GET", "/v1/events", timeout=60) as answer:
                    opened.release()
                    async for line in answer.aiter_lines():
                        if line.startswith("id: "):
                            return line
                raise AssertionError("the stream has ended")

            following = [asyncio.create_task(one()) for _ in range(STREAMS)]
            for _ in following:
                await opened.acquire()
            await asyncio.to_thread(served.send, served.fixed.pay("1.00"))
            return await asyncio.gather(*following)

    assert asyncio.run(hear()) == ["id: 2.0"] * STREAMS


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
