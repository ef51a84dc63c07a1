"""Following a chain, over HTTP through cuts and restarts, and in process: nothing is missed."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from itertools import islice

import httpx2
import pytest

from tests.fixed_chain import BEGIN, FixedChain
from tests.node.conftest import Served, serving, serving_chain
from tongbao.sdk.answers import Happening
from tongbao.sdk.asynchronous import AsyncChain
from tongbao.sdk.errors import NodeError, Unreachable
from tongbao.sdk.http import HttpChain
from tongbao.sdk.http_asynchronous import AsyncHttpChain
from tongbao.sdk.local import Chain
from tongbao.sdk.verification import Finding, VerificationError

QUIET = b": nothing yet\n\n"
HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


@pytest.fixture
def served() -> Iterator[Served]:
    """A node with the usual settings."""
    with serving() as found:
        yield found


class Script(threading.Thread):
    """A server that answers `/v1` from a real node, and each stream with the next of some bytes."""

    def __init__(self, served: Served, streams: list[bytes]) -> None:
        """Listen; `start` begins to answer. After the last stream nobody listens any more."""
        super().__init__(daemon=True)
        self._head = served.client.get("/v1").content
        self._streams = streams
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.asked: list[str] = []

    def run(self) -> None:
        """Answer one connection after the other."""
        with self._listening:
            while self._streams:
                connection, _ = self._listening.accept()
                with connection:
                    while self._answer(connection):
                        pass

    def _answer(self, connection: socket.socket) -> bool:
        request = b""
        while b"\r\n\r\n" not in request:
            part = connection.recv(65536)
            if not part:
                return False
            request += part
        target = request.split()[1].decode()
        if target == "/v1":
            length = len(self._head)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length)
            connection.sendall(self._head)
            return True
        self.asked.append(target)
        connection.sendall(HEADERS + self._streams.pop(0))
        return False


def event(cursor: str) -> bytes:
    """An event as a node sends it."""
    height = cursor.partition(".")[0]
    text = f'{{"cursor":"{cursor}","height":{height},"time":5,"id":"{height}"}}'
    return f"id: {cursor}\nevent: transaction\ndata: {text}\n\n".encode()


def at_once(seconds: float) -> None:
    """Tests need not wait between attempts."""


def test_an_event_that_is_cut_is_told_once_and_whole(served: Served) -> None:
    """
    Given streams that end in the middle of an event, repeat one, or hold several,
    when a client follows,
    then it goes on after the last whole event, and tells each once.
    """
    streams = [
        event("2.0") + event("2.1")[:40],
        event("2.1")[:-1],
        event("2.0") + event("2.1") + event("3.0"),
    ]
    script = Script(served, streams)
    script.start()
    with HttpChain(script.address, wait=at_once, patience_s=2) as chain:
        told = [one.cursor for one in islice(chain.happenings(after="1.0"), 3)]

    assert told == ["2.0", "2.1", "3.0"]
    assert [target.partition("after=")[2] for target in script.asked] == ["1.0", "2.0", "2.0"]


def test_a_quiet_stream_that_lives_is_never_unreachable(served: Served) -> None:
    """
    Given forty connections that show life, tell nothing and end, and then nobody who listens,
    when a client follows,
    then it outlasts the forty, and is unreachable once nobody has answered for its patience.
    """
    script = Script(served, [QUIET] * 40 + [event("2.0")])
    script.start()
    pauses: list[float] = []
    with HttpChain(script.address, wait=pauses.append, patience_s=2) as chain:
        following = chain.happenings(after="1.0")
        assert next(following).cursor == "2.0"
        assert pauses == [0.1] * 40
        with pytest.raises(Unreachable, match="no stream for"):
            next(following)

    assert pauses[40:] == [0.1, 0.1, 0.2, 0.4, 0.8] or pauses[40:] == [0.1, 0.2, 0.4, 0.8]


def test_what_a_node_refuses_is_an_error_of_the_node(served: Served) -> None:
    """
    Given a cursor beyond the chain, one that is none, a filter that is none, and a garbled event,
    when a client follows,
    then each is refused as documented, over HTTP and in process.
    """
    script = Script(served, [b"data: {]\n\n"])
    script.start()
    with HttpChain(served.address) as chain, HttpChain(script.address) as garbled:
        with pytest.raises(NodeError, match="beyond the last block"):
            next(chain.happenings(after="99.0"))
        with pytest.raises(NodeError, match="can't be read"):
            next(garbled.happenings(after="1.0"))
        for client in (chain, served.chain):
            with pytest.raises(ValueError, match="no cursor"):
                client.happenings(after="x")
            with pytest.raises(TypeError, match="no filter"):
                client.happenings(colour="red")
    with pytest.raises(ValueError, match="beyond the last block"):
        served.chain.happenings(after="99.0")


def everything(chain: Chain) -> list[Happening]:
    """What the chain itself says has happened, from its blocks."""
    following = chain.happenings(after="0.0")
    count = sum(len(chain.block(at).receipts) for at in range(chain.head().height + 1))
    return list(islice(following, count))


def test_a_client_follows_a_node_through_restarts() -> None:
    """
    Given a node that is stopped and started on one port five times while payments are made, and a
    client that reads slowly and one with `await`,
    when both follow from the beginning,
    then each tells exactly what the chain's blocks hold, in order.
    """
    fixed = FixedChain()
    told: list[Happening] = []
    told_asynchronously: list[Happening] = []
    with fixed.running(lambda: BEGIN + 60_000) as chain:
        with serving_chain(fixed, chain) as first:
            port = int(first.address.rpartition(":")[2])
            remote = HttpChain(first.address)
            following = remote.happenings(after="0.0")
            told.append(next(following))
        read = threading.Event()

        def slowly() -> None:
            for happening in following:
                told.append(happening)
                if len(told) % 10 == 0:
                    read.wait(0.05)

        async def with_await() -> None:
            async with await AsyncHttpChain.connect(first.address) as client:
                ready.set()
                async for happening in client.happenings(after="0.0"):
                    told_asynchronously.append(happening)
                    if len(told_asynchronously) == 101:
                        return

        ready = threading.Event()
        readers = [threading.Thread(target=slowly)]
        readers.append(threading.Thread(target=lambda: asyncio.run(with_await())))
        for reader in readers:
            reader.start()
        for _ in range(5):
            with serving_chain(fixed, chain, port=port):
                assert ready.wait(30)
                for _ in range(20):
                    chain.submit(fixed.pay("0.01"))
        with serving_chain(fixed, chain, port=port):
            readers[1].join(timeout=30)
            moved = threading.Event()
            while len(told) < 101 and not moved.wait(0.01):
                assert readers[0].is_alive()
            remote.close()
            readers[0].join(timeout=30)
        expected = everything(chain)

    assert len(expected) == 101
    assert told == told_asynchronously == expected


def test_closing_ends_iterators_at_once(served: Served) -> None:
    """
    Given threads and tasks that wait for events of a quiet chain, over HTTP and in process,
    when the clients are closed from elsewhere,
    then every iterator ends, within seconds where a heartbeat would take fifteen.
    """
    ended: list[str] = []

    def wait_for(name: str, following: Iterator[Happening]) -> threading.Thread:
        def read() -> None:
            waiting.release()
            ended.extend([name, *(one.cursor for one in following)])

        thread = threading.Thread(target=read)
        thread.start()
        return thread

    waiting = threading.Semaphore(0)
    remote = HttpChain(served.address)
    with FixedChain().running(lambda: BEGIN + 60_000) as local:
        threads = [
            wait_for("remote", remote.happenings()),
            wait_for("local", local.happenings()),
        ]
        for _ in threads:
            waiting.acquire()
        threading.Event().wait(0.3)
        remote.close()
    for thread in threads:
        thread.join(timeout=5)
        assert not thread.is_alive()

    async def story() -> None:
        async with asyncio.timeout(5):
            here = AsyncChain(FixedChain().running(lambda: BEGIN + 60_000))
            there = await AsyncHttpChain.connect(served.address)
            tasks = [asyncio.create_task(read_all(one.happenings())) for one in (here, there)]
            await asyncio.wait(tasks, timeout=0.3)
            await here.close()
            await there.close()
            assert await asyncio.gather(*tasks) == [[], []]

    asyncio.run(story())
    assert sorted(ended) == ["local", "remote"]


async def read_all(following: AsyncIterator[Happening]) -> list[Happening]:
    """Everything until the end."""
    return [one async for one in following]


def test_events_are_checked_against_proofs(served: Served) -> None:
    """
    Given a node whose events somebody changes on their way: another amount, another sender,
    when clients with and without a trust file follow,
    then the honest ones are told as in process, and with trust each lie is found.
    """
    fixed, trust = served.fixed, served.chain.trust()
    served.send(fixed.pay("1.00"))
    honest = list(islice(served.chain.happenings(after="1.0"), 1))
    with HttpChain(served.address, trust=trust) as chain:
        assert list(islice(chain.happenings(after="1.0"), 1)) == honest
    lies = ((b'"1.00"', b'"9.00"'), (str(fixed.alice).encode(), str(fixed.bank).encode()))
    for old, new in lies:
        client = httpx2.Client(base_url=served.address, transport=ChangedEvents(old, new))
        with HttpChain(served.address, client=client, trust=trust) as chain:
            with pytest.raises(VerificationError) as caught:
                next(chain.happenings(after="1.0"))
            assert caught.value.finding is Finding.ANSWER_IS_NOT_PROVEN


class ChangedEvents(httpx2.BaseTransport):
    """A real connection whose events somebody changes."""

    def __init__(self, old: bytes, new: bytes) -> None:
        """Replace something in every event."""
        self._real = httpx2.HTTPTransport()
        self._change = old, new

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Ask the node; of a stream give the first event, changed."""
        answer = self._real.handle_request(request)
        if request.url.path != "/v1/events":
            return answer
        whole = b""
        for part in answer.iter_raw():
            whole += part
            if b"data:" in whole and whole.endswith(b"\n\n"):
                break
        answer.close()
        assert self._change[0] in whole
        return httpx2.Response(200, content=whole.replace(*self._change))

    def close(self) -> None:
        """Close the real connections."""
        self._real.close()
