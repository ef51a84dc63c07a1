"""The ABCI server and what goes wrong: bytes, peers, the application, the socket's path."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from tests.engines.cometbft.gated import Gated
from tests.engines.cometbft.peer import Peer, play, serving
from tongbao.engines.cometbft import requests as q
from tongbao.engines.cometbft import responses as r
from tongbao.engines.cometbft.connection import Limits
from tongbao.engines.cometbft.framing import frame
from tongbao.engines.cometbft.server import PATH_BYTES, Server, SocketError
from tongbao.engines.cometbft.wire import write_varint

MIB = 1 << 20


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (write_varint(4 * MIB + 1), "a frame of 4194305 bytes; 4194304 at most"),
        (b"\xff" * 10, "a number has more than 10 bytes"),
        (frame(b"\x0a\x05"), "a field of 5 bytes where 0 are left"),
        (frame(b""), "no message that is known here: none"),
        (frame(bytes.fromhex("aa0100")), "no message that is known here: number 21"),
    ],
)
def test_what_cannot_be_read_is_answered_with_an_exception_and_the_end(
    bad: bytes, says: str
) -> None:
    """
    Given a slow request, then bytes that are no request, then one that would be,
    when the slow one's gate opens,
    then its answer comes, an exception that says what is wrong, and the end; others are served.
    """

    async def story() -> None:
        async with serving(Limits(frame_bytes=4 * MIB)) as network:
            peer, other = await network.peer(), await network.peer()
            network.application.mempool.clear()
            peer.send(q.RequestCheckTx(b"tx"))
            peer.writer.write(bad)
            peer.send(q.RequestCheckTx(b"never"))
            await asyncio.to_thread(network.application.began.wait)
            network.application.mempool.set()
            assert await peer.answer() == r.ResponseCheckTx(code=1, data=b"tx")
            assert await peer.answer() == r.ResponseException(f"the request can't be read: {says}")
            assert await peer.reader.read() == b""
            assert await other.ask(q.RequestEcho("hello")) == r.ResponseEcho("hello")
            assert network.application.checked == 1

    play(story)


def test_the_longest_frame_is_read() -> None:
    """Given a frame of exactly the limit, when sent, then it is answered."""
    transaction = bytes(MIB - 10)

    async def story() -> None:
        limits = Limits(frame_bytes=MIB - 10 + 4 + 4)  # the tags and lengths of two layers
        async with serving(limits) as network:
            peer = await network.peer()
            answer = await peer.ask(q.RequestCheckTx(transaction))
            assert answer == r.ResponseCheckTx(code=1, data=transaction)
            peer.send(q.RequestCheckTx(transaction + b"x"))
            assert isinstance(await peer.answer(), r.ResponseException)

    play(story)


def test_a_peer_that_does_not_read_is_not_read_from() -> None:
    """
    Given a peer that sends 64 MiB to be echoed and reads nothing,
    when the server has taken what it holds for one peer,
    then it takes no more, and others are served; when the peer reads, it gets every answer.
    """
    count = 64

    async def story() -> None:
        async with serving(Limits(in_flight_bytes=2 * MIB)) as network:
            peer, other = await network.peer(), await network.peer()
            texts = [f"{at:02}" * (MIB // 2) for at in range(count)]

            async def send() -> None:
                for text in texts:
                    peer.send(q.RequestEcho(text))
                    await peer.writer.drain()

            sending = asyncio.create_task(send())
            await other.until(lambda: network.server.held_bytes > MIB // 2)
            seen = [network.server.held_bytes]
            for _ in range(2_000):
                await other.ask(q.RequestEcho("turn"))
                seen.append(network.server.held_bytes)
            assert seen[-1] == seen[-1_000]  # it has come to rest
            assert max(seen) < 5 * MIB
            assert not sending.done()
            for text in texts:
                assert await peer.answer() == r.ResponseEcho(text)
            await sending
            assert network.server.held_bytes == 0

    play(story)


def test_too_much_in_flight_is_not_read_until_half_is_answered() -> None:
    """
    Given a mempool that waits at its gate, and a peer that sends 16 MiB of transactions,
    when the limit of 2 MiB is reached,
    then reading rests just above it; when the gate opens, all are answered in order.
    """
    count = 16 * 16
    wires = [bytes((at,)) * (MIB // 16) for at in range(count)]

    async def story() -> None:
        async with serving(Limits(in_flight_bytes=2 * MIB)) as network:
            peer, other = await network.peer(), await network.peer()
            network.application.mempool.clear()
            peer.send(*map(q.RequestCheckTx, wires))
            await other.until(lambda: network.server.held_bytes > 2 * MIB)
            for _ in range(1_000):
                await other.ask(q.RequestEcho("turn"))
            assert network.server.held_bytes < 3 * MIB
            network.application.mempool.set()
            for at, wire in enumerate(wires, 1):
                assert await peer.answer() == r.ResponseCheckTx(code=at, data=wire)
            assert network.server.held_bytes == 0

    play(story)


def test_what_nobody_waits_for_is_not_called() -> None:
    """
    Given a hundred transactions behind a gate,
    when their peer is gone before it opens,
    then only the one that had begun is called, and the next peer is served.
    """

    async def story() -> None:
        async with serving() as network:
            peer, other = await network.peer(), await network.peer()
            network.application.mempool.clear()
            peer.send(*[q.RequestCheckTx(b"tx")] * 100)
            await asyncio.to_thread(network.application.began.wait)
            peer.writer.transport.abort()
            await other.until(lambda: network.server.held_bytes == 0)
            network.application.mempool.set()
            answer = await other.ask(q.RequestCheckTx(b"next"))
            assert answer == r.ResponseCheckTx(code=2, data=b"next")

    play(story)


def test_who_begins_again_waits_for_the_calls_of_who_is_gone() -> None:
    """
    Given a block that waits at its gate when its peer is gone,
    when a new peer asks Info,
    then it is not answered before the block has ended: what Info says would not hold.
    """

    async def story() -> None:
        async with serving() as network:
            gone, other = await network.peer(), await network.peer()
            await other.ask(q.RequestEcho("hello"))
            network.application.block.clear()
            gone.send(q.RequestFinalizeBlock(), q.RequestCommit())
            await asyncio.to_thread(network.application.began.wait)
            gone.writer.transport.abort()
            await other.until(lambda: network.server.held_bytes == 0)
            new = await network.peer()
            asked = asyncio.create_task(new.ask(q.RequestInfo(version="new")))
            for _ in range(500):
                await other.ask(q.RequestEcho("turn"))
            assert not asked.done()
            network.application.block.set()
            assert await asked == r.ResponseInfo(version="new")
            assert "commit" not in network.application.threads

    play(story)


def test_an_application_that_fails_is_not_called_again(caplog: pytest.LogCaptureFixture) -> None:
    """
    Given a server with two peers,
    when the application raises for one of them,
    then that one has the answers before it, an exception and the end; the other has the end; the
    owner has what was raised; and nobody can connect any more.
    """

    async def story() -> None:
        async with serving() as network:
            peer, other = await network.peer(), await network.peer()
            await other.ask(q.RequestEcho("hello"))
            peer.send(q.RequestQuery(data=b"k"), q.RequestQuery(path="fail"), q.RequestCommit())
            assert await peer.answer() == r.ResponseQuery(key=b"k")
            failed = r.ResponseException("the application failed: ZeroDivisionError")
            assert await peer.answer() == failed
            assert await peer.reader.read() == b""
            assert isinstance(await network.server.failure(), ZeroDivisionError)
            assert await other.reader.read() == b""
            with pytest.raises(OSError, match=r"refused|No such file"):
                await network.peer()

    play(story)
    assert "the application failed; it is not called again" in caplog.text


def test_a_path_that_cannot_be_a_socket_is_told(tmp_path: Path) -> None:
    """
    Given a path that is too long, one that is a file, one in no folder, and one where a server
    answers,
    when a server starts there,
    then each error says what is wrong; what was there stays.
    """
    text = tmp_path / "file"
    text.write_text("kept")

    async def refused(path: Path, says: str) -> None:
        server = Server(Gated(), path)
        with pytest.raises(SocketError, match=says):
            await server.start()
        await server.close()

    async def story() -> None:
        await refused(tmp_path / ("x" * PATH_BYTES), f"has {PATH_BYTES} at most")
        await refused(text, "can't be a socket")
        await refused(tmp_path / "none" / "s", "can't be a socket: No such file")
        async with serving() as network:
            await refused(network.path, "another process answers at .*: stop it first")
            peer = await network.peer()
            assert await peer.ask(q.RequestEcho("hello")) == r.ResponseEcho("hello")
            assert network.path.stat().st_mode & 0o777 == 0o600

    play(story)
    assert text.read_text() == "kept"


def test_what_a_killed_process_left_is_replaced(tmp_path: Path) -> None:
    """
    Given the socket of a process that is no more,
    when a server starts at its path,
    then it answers there, and removes it at its end.
    """
    path = tmp_path / "abci.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    assert path.is_socket()

    async def story() -> None:
        server = Server(Gated(), path)
        await server.start()
        reader, writer = await asyncio.open_unix_connection(str(path))
        peer = Peer(reader, writer)
        assert await peer.ask(q.RequestEcho("hello")) == r.ResponseEcho("hello")
        writer.close()
        await server.close()
        await server.close()

    play(story)
    assert not path.exists()
