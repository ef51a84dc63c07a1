"""Streams as curl and a WebSocket client of others see them, byte by byte."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, Final

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.node.conftest import Served, serving

SECONDS: Final = "30"
COMMENT: Final = re.compile(": nothing yet")
EVENT: Final = re.compile(r"id: (\d+\.\d+)\nevent: transaction\ndata: (\{.*\})\n\n")


@contextmanager
def curl(served: Served, query: str = "", *flags: str) -> Iterator[IO[str]]:
    """What curl writes while it reads a stream."""
    url = f"{served.address}/v1/events{query}"
    command = ["curl", "-sS", "-N", "--max-time", SECONDS, *flags, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout
        finally:
            process.kill()


def events(lines: IO[str], count: int) -> list[tuple[str, dict[str, object]]]:
    """The next events: cursor and data."""
    text = ""
    while len(EVENT.findall(text)) < count:
        line = lines.readline()
        assert line, f"the stream has ended after {text!r}"
        text += line
    return [(cursor, json.loads(data)) for cursor, data in EVENT.findall(text)]


@pytest.mark.needs("curl")
def test_curl_follows_and_resumes(served: Served) -> None:
    """
    Given three payments, the second refused,
    when curl follows from the beginning, after a cursor, with Last-Event-ID, and by filters,
    then each event has its cursor as `id`, the name `transaction` and one line of JSON, streams
    begin where they are told to, and filters leave out the rest.
    """
    for amount in ("1.00", "999.00", "2.00"):
        served.send(served.fixed.pay(amount))
    with curl(served, "?after=0.0") as lines:
        assert lines.readline() == "retry: 1000\n"
        told = events(lines, 4)
    with curl(served, "?after=2.0") as lines:
        later = events(lines, 2)
    with curl(served, "?after=0.0", "-H", "Last-Event-ID: 3.0") as lines:
        resumed = events(lines, 1)
    shop = f"&account={served.fixed.shop}"
    with curl(served, f"?after=0.0&type=asset.moved{shop}") as lines:
        moved = events(lines, 2)

    assert [cursor for cursor, _ in told] == ["1.0", "2.0", "3.0", "4.0"]
    assert [data["cursor"] for _, data in told] == ["1.0", "2.0", "3.0", "4.0"]
    assert (later, resumed) == (told[2:], told[3:])
    assert moved == [told[1], told[3]]


@pytest.mark.needs("curl")
def test_a_silent_stream_shows_life_and_ends_with_the_node() -> None:
    """
    Given a node that shows life every 100 ms, and a stream on which nothing happens,
    when it waits, and then the node stops,
    then comments come, no event, and curl ends by itself with 0: the stream was ended in order.
    """
    with serving(heartbeat_ms=100) as served:
        url = f"{served.address}/v1/events"
        command = ["curl", "-sS", "-i", "-N", "--max-time", SECONDS, url]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        head = list(itertools.takewhile(lambda line: line != "\n", process.stdout))
        silence = [process.stdout.readline() for _ in range(8)]
    rest, _ = process.communicate(timeout=30)

    names = {line.partition(":")[0].lower(): line.partition(": ")[2].strip() for line in head}
    assert names["content-type"] == "text/event-stream; charset=utf-8"
    assert names["cache-control"] == "no-store"
    assert silence == ["retry: 1000\n", "\n", *[": nothing yet\n", "\n"] * 3]
    assert "id:" not in rest
    assert process.returncode == 0


def test_a_websocket_pings_ignores_talk_and_says_goodbye() -> None:
    """
    Given a node that shows life every 100 ms, and a WebSocket that talks, in text and in bytes,
    when it pings, waits for the node's pings, and the node stops,
    then it is answered, stays open, hears the payment, and is closed with 1001, going away;
    one that says more than a kilobyte is closed with 1009.
    """
    with ExitStack() as stack:
        with serving(heartbeat_ms=100) as served:
            address = served.address.replace("http", "ws") + "/v1/events/socket"
            with connect(address) as wordy:
                wordy.send("x" * 2_000)
                with pytest.raises(ConnectionClosed) as too_long:
                    wordy.recv(timeout=30)
            socket = stack.enter_context(connect(address))
            socket.send("hello")
            socket.send(b"\x00\xff")
            assert socket.ping().wait(30)
            with served.client.stream("GET", "/v1/events") as quiet:  # as long as several pings
                list(itertools.islice(filter(COMMENT.match, quiet.iter_lines()), 5))
            paid = served.send(served.fixed.pay("1.00")).json()
            heard = json.loads(socket.recv(timeout=30))
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=30)

    assert too_long.value.rcvd is not None and too_long.value.rcvd.code == 1009
    assert heard["id"] == paid["id"]
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1001


def test_a_websocket_that_is_refused_gets_a_problem(served: Served) -> None:
    """
    Given parameters that make no sense, and a plain request for the socket's path,
    when they come,
    then the first is answered 400, the second 426, each with a problem that says what to do.
    """
    address = served.address.replace("http", "ws") + "/v1/events/socket?after=99.0"
    with pytest.raises(InvalidStatus) as refused:
        connect(address)
    plain = served.client.get("/v1/events/socket")

    answer = refused.value.response
    assert answer.body is not None
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert "beyond the last block" in json.loads(answer.body)["detail"]
    assert (plain.status_code, plain.headers["upgrade"]) == (426, "websocket")
    assert "/v1/events" in plain.json()["detail"]
