"""Whole requests are relayed to other processes, which may end at any moment."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.node.relay_process import PIECE, PIECES
from tongbao.node.problems import ProblemError, response
from tongbao.node.processes.relay import IN_FLIGHT, Relay

PATIENCE_S = 20.0


@contextmanager
def answering(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that answers at a socket, until the `with` statement ends."""
    command = [sys.executable, "-m", "tests.node.relay_process", str(path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "answers\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def sockets() -> Iterator[Path]:
    """A folder whose path is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="tb") as folder:
        yield Path(folder)


@asynccontextmanager
async def relaying(
    paths: list[Path], patience_s: float = PATIENCE_S
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an application that relays all it is asked."""
    relay = Relay(paths, patience_s)
    relay.start()

    async def endpoint(request: Request) -> Response:
        try:
            return await relay.ask(request, await request.body(), least=7)
        except ProblemError as error:
            return response(error)

    app = Starlette(routes=[Route("/{path}", endpoint, methods=["GET", "POST"])])
    transport = httpx2.ASGITransport(app=app)
    try:
        async with httpx2.AsyncClient(transport=transport, base_url="http://front") as client:
            yield client
    finally:
        await relay.close()


def test_a_request_and_its_answer_are_relayed_whole(sockets: Path) -> None:
    """Given a process that says what it was asked, when a request with query, header and body is
    relayed, then it had all of them, and status, headers and body of its answer come back.
    """

    async def ask() -> httpx2.Response:
        async with relaying([sockets / "one"]) as client:
            return await client.post("/echo?a=1&b=%20", content="said", headers={"x-said": "so"})

    with answering(sockets / "one"):
        found = asyncio.run(ask())
    assert found.status_code == 203
    assert found.headers["x-answered"] == "yes"
    said = found.json()
    assert said.pop("process")
    assert said == {
        "method": "POST",
        "path": "/echo",
        "query": "a=1&b=%20",
        "header": "so",
        "body": "said",
        "least": 7,
    }


def test_a_large_answer_comes_in_parts_while_others_are_answered(sockets: Path) -> None:
    """Given one process, when large and small answers are asked for at once, then each is whole."""

    async def ask() -> list[httpx2.Response]:
        async with relaying([sockets / "one"]) as client:
            paths = ["/large", "/echo"] * 4
            return await asyncio.gather(*(client.get(path) for path in paths))

    with answering(sockets / "one"):
        found = asyncio.run(ask())
    for large, small in zip(found[::2], found[1::2], strict=True):
        assert large.content == PIECE * PIECES
        assert small.json()["path"] == "/echo"


def test_more_than_are_relayed_at_once_wait_for_a_place(sockets: Path) -> None:
    """Given one process, when far more is asked at once than is relayed, then all is answered."""

    async def ask() -> set[int]:
        async with relaying([sockets / "one"]) as client:
            found = await asyncio.gather(*(client.get("/echo") for _ in range(IN_FLIGHT + 50)))
            return {one.status_code for one in found}

    with answering(sockets / "one"):
        assert asyncio.run(ask()) == {203}


def test_a_process_learns_that_nobody_wants_the_rest(sockets: Path) -> None:
    """Given an answer that never ends, when its reader goes, then the process stops making it."""

    async def ask() -> int:
        relay = Relay([sockets / "one"], PATIENCE_S)
        relay.start()
        got: list[dict[str, Any]] = []
        enough = asyncio.Event()

        async def receive() -> dict[str, Any]:
            await enough.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            got.append(message)
            if len(got) > 20:
                enough.set()
                await asyncio.get_running_loop().create_future()

        answer = await relay.ask(_request("/endless"))
        await answer(_scope("/endless"), receive, send)
        count = -1
        async with asyncio.timeout(PATIENCE_S):
            while count != 0:
                count = int((await relay.ask(_request("/count"))).body)
        await relay.close()
        return count

    with answering(sockets / "one"):
        assert asyncio.run(ask()) == 0


def test_another_process_is_asked_when_one_ends(sockets: Path) -> None:
    """Given two processes under load, when one of them is killed, then every request has an answer,
    the later ones from the other process.
    """

    async def ask(process: subprocess.Popen[str]) -> list[httpx2.Response]:
        async with relaying([sockets / "one", sockets / "two"]) as client:
            found = [await client.get("/echo")]
            asked = [asyncio.create_task(client.get("/echo")) for _ in range(200)]
            await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            process.kill()
            found += await asyncio.gather(*asked)
            found += [await client.get("/echo") for _ in range(20)]
            return found

    with answering(sockets / "one") as first, answering(sockets / "two") as second:
        found = asyncio.run(ask(first))
    assert {one.status_code for one in found} == {203}
    assert {one.json()["process"] for one in found[-20:]} == {second.pid}


def test_a_process_that_comes_back_is_asked_again(sockets: Path) -> None:
    """Given one process that has ended, when another takes its place, then who waited meanwhile is
    answered by it.
    """

    async def ask(first: subprocess.Popen[str]) -> tuple[int, int]:
        async with relaying([sockets / "one"]) as client:
            before = (await client.get("/echo")).json()["process"]
            first.kill()
            await asyncio.to_thread(first.wait)
            waiting = asyncio.create_task(client.get("/echo"))
            with answering(sockets / "one"):
                return before, (await waiting).json()["process"]

    with answering(sockets / "one") as first:
        before, after = asyncio.run(ask(first))
    assert before == first.pid != after


def test_nobody_answers_is_told_as_503(sockets: Path) -> None:
    """Given no process behind a socket, when something is relayed to it, then it is 503 after the
    relay's patience, with the time to come back.
    """

    async def ask() -> httpx2.Response:
        async with relaying([sockets / "none"], 0.05) as client:
            return await client.get("/echo")

    found = asyncio.run(ask())
    assert found.status_code == 503
    assert found.headers["retry-after"]


def test_a_request_that_ends_every_process_is_given_up(sockets: Path) -> None:
    """Given one process that ends when it is asked something, when that is relayed, then it is 503
    rather than asked for ever.
    """

    async def ask() -> httpx2.Response:
        async with relaying([sockets / "one"], 0.2) as client:
            return await client.get("/ends")

    with answering(sockets / "one"):
        assert asyncio.run(ask()).status_code == 503


def _scope(path: str) -> dict[str, Any]:
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [],
        "asgi": {"version": "3.0", "spec_version": "2.0"},
    }


def _request(path: str) -> Request:
    return Request(_scope(path))
