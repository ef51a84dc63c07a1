"""The ABCI server on a real socket: order, many in flight, and lanes that don't wait."""

from __future__ import annotations

import asyncio
import socket

from tests.engines.cometbft.peer import play, serving
from tongbao.engines.cometbft import requests as q
from tongbao.engines.cometbft import responses as r
from tongbao.engines.cometbft.codec import decode_response, encode_request
from tongbao.engines.cometbft.connection import REQUEST_BYTES
from tongbao.engines.cometbft.framing import Frames, frame
from tongbao.engines.cometbft.messages import ExecTxResult, Message, Snapshot

EACH: list[tuple[Message, Message]] = [
    (q.RequestEcho("hello"), r.ResponseEcho("hello")),
    (q.RequestFlush(), r.ResponseFlush()),
    (q.RequestInfo(version="0.39.4"), r.ResponseInfo(version="0.39.4")),
    (q.RequestInitChain(app_state_bytes=b"{}"), r.ResponseInitChain(app_hash=b"{}")),
    (q.RequestQuery(data=b"key"), r.ResponseQuery(key=b"key")),
    (q.RequestCheckTx(b"tx"), r.ResponseCheckTx(code=1, data=b"tx")),
    (q.RequestPrepareProposal(txs=(b"a", b"b")), r.ResponsePrepareProposal((b"a", b"b"))),
    (q.RequestProcessProposal(txs=(b"a",)), r.ResponseProcessProposal(1)),
    (q.RequestExtendVote(hash=b"h"), r.ResponseExtendVote(b"h")),
    (q.RequestVerifyVoteExtension(), r.ResponseVerifyVoteExtension(1)),
    (
        q.RequestFinalizeBlock(txs=(b"", b"x"), hash=b"h"),
        r.ResponseFinalizeBlock(
            tx_results=(ExecTxResult(), ExecTxResult(data=b"x")), app_hash=b"h"
        ),
    ),
    (q.RequestCommit(), r.ResponseCommit(1)),
    (q.RequestListSnapshots(), r.ResponseListSnapshots()),
    (q.RequestOfferSnapshot(Snapshot(1)), r.ResponseOfferSnapshot()),
    (q.RequestLoadSnapshotChunk(chunk=7), r.ResponseLoadSnapshotChunk(b"\x07")),
    (
        q.RequestApplySnapshotChunk(3, b"", "peer"),
        r.ResponseApplySnapshotChunk(0, (3,), ("peer",)),
    ),
]


def test_each_request_is_answered_in_the_order_of_requests() -> None:
    """
    Given one request of each kind, all in one write, the block's gate closed,
    when the block's gate opens after the others had their time,
    then the answers stand in the order of the requests, whichever thread gave them.
    """

    async def story() -> None:
        async with serving() as network:
            peer, other = await network.peer(), await network.peer()
            network.application.block.clear()
            peer.send(*(request for request, _ in EACH))
            before = [answer for request, answer in EACH[:10]]
            assert await peer.answers(10) == before
            await other.until(lambda: "load_snapshot_chunk" in network.application.threads)
            network.application.block.set()
            assert await peer.answers(6) == [answer for _, answer in EACH[10:]]

    play(story)


def test_ten_thousand_transactions_are_in_flight_at_once() -> None:
    """
    Given a mempool that waits at its gate,
    when 10,000 transactions and a flush are sent, all are held, and the gate opens,
    then each is answered once, in order, and the flush behind them; nothing is held any more.
    """
    count = 10_000
    wires = [b"%08d" % number * 50 for number in range(count)]

    async def story() -> None:
        async with serving() as network:
            peer, other = await network.peer(), await network.peer()
            network.application.mempool.clear()
            peer.send(*map(q.RequestCheckTx, wires), q.RequestFlush())
            await other.until(lambda: network.server.held_bytes > sum(map(len, wires)))
            assert network.application.checked == 0
            network.application.mempool.set()
            wanted = [r.ResponseCheckTx(code=at, data=wire) for at, wire in enumerate(wires, 1)]
            assert await peer.answers(count + 1) == [*wanted, r.ResponseFlush()]
            assert network.server.held_bytes == 0

    play(story)


def test_what_comes_while_a_batch_runs_is_one_batch_after_it() -> None:
    """
    Given a transaction that waits at its gate,
    when 1,500 others come in many writes, and the gate opens,
    then all are answered in order, and the application saw one, then a thousand, then the others.
    """

    async def story() -> None:
        async with serving() as network:
            peer, other = await network.peer(), await network.peer()
            network.application.mempool.clear()
            peer.send(q.RequestCheckTx(b"first"))
            await other.until(network.application.began.is_set)
            for number in range(1_500):
                peer.send(q.RequestCheckTx(b"%d" % number))
                if number % 100 == 0:
                    await peer.writer.drain()
                    await other.ask(q.RequestEcho("turn"))
            whole = 1_500 * REQUEST_BYTES
            await other.until(lambda: network.server.held_bytes > whole)
            network.application.mempool.set()
            answers = await peer.answers(1_501)
            wires = [b"first", *(b"%d" % number for number in range(1_500))]
            wanted = [r.ResponseCheckTx(code=at, data=wire) for at, wire in enumerate(wires, 1)]
            assert answers == wanted
            assert network.application.together == [1, 1_000, 500]

    play(story)


def test_a_slow_block_keeps_nobody_waiting_but_its_own_connection() -> None:
    """
    Given a block that waits at its gate, and a commit behind it,
    when transactions are checked, state is read, a chunk is loaded and peers say hello,
    then all are answered, each lane by a thread of its own; the block and its commit come after.
    """

    async def story() -> None:
        async with serving() as network:
            consensus, mempool, query, snapshot = [await network.peer() for _ in range(4)]
            application = network.application
            application.block.clear()
            consensus.send(q.RequestFinalizeBlock(hash=b"h"), q.RequestCommit(), q.RequestFlush())
            await asyncio.to_thread(application.began.wait)
            for number in range(1, 101):
                answer = await mempool.ask(q.RequestCheckTx(b"tx"))
                assert answer == r.ResponseCheckTx(code=number, data=b"tx")
            assert await query.ask(q.RequestQuery(data=b"k")) == r.ResponseQuery(key=b"k")
            await snapshot.ask(q.RequestLoadSnapshotChunk(chunk=1))
            assert await query.ask(q.RequestEcho("hello")) == r.ResponseEcho("hello")
            assert "commit" not in application.threads
            application.block.set()
            assert await consensus.answers(3) == [
                r.ResponseFinalizeBlock(app_hash=b"h"),
                r.ResponseCommit(1),
                r.ResponseFlush(),
            ]
            threads = application.threads
            assert threads["finalize_block"] == threads["commit"]
            assert len(set(threads.values())) == 4

    play(story)


def test_what_one_write_asked_is_answered_in_one_write() -> None:
    """
    Given 300 small requests in one write,
    when the peer reads once,
    then all answers are there: one wake-up read them, and one write answered them.
    """
    asked = b"".join(frame(encode_request(q.RequestEcho(str(at)))) for at in range(300))

    def read_once(path: str) -> bytes:
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(30)
            peer.connect(path)
            peer.sendall(asked)
            return peer.recv(1 << 16)

    async def story() -> None:
        async with serving() as network:
            frames = Frames(1 << 16)
            frames.feed(await asyncio.to_thread(read_once, str(network.path)))
            for at in range(300):
                content = frames.next()
                assert content is not None
                assert decode_response(content) == r.ResponseEcho(str(at))

    play(story)


def test_frames_may_come_in_any_pieces() -> None:
    """
    Given requests short and long, the length of one of which takes three bytes,
    when their bytes come one at a time, or in pieces of a prime's length,
    then they are answered as if they had come whole.
    """
    long = q.RequestCheckTx(bytes(20_000))
    short = [q.RequestEcho("a"), q.RequestCommit(), q.RequestQuery(data=b"k" * 200)]

    async def story() -> None:
        async with serving() as network:
            for requests, size in ((short, 1), ([*short, long], 997)):
                peer = await network.peer()
                data = b"".join(frame(encode_request(one)) for one in requests)
                for at in range(0, len(data), size):
                    peer.writer.write(data[at : at + size])
                    await peer.writer.drain()
                    await asyncio.to_thread(bool)  # the server's turn
                answers = await peer.answers(len(requests))
                assert answers[:2] == [r.ResponseEcho("a"), r.ResponseCommit(1)]
                assert answers[2] == r.ResponseQuery(key=b"k" * 200)
            assert answers[3] == r.ResponseCheckTx(code=1, data=long.tx)

    play(story)


def test_a_peer_that_ends_within_a_frame_is_let_go() -> None:
    """
    Given a peer that asks, has its answer, sends half of a frame and ends its side,
    when it reads on,
    then there is the end; others are served as before, and nothing is held.
    """

    async def story() -> None:
        async with serving() as network:
            peer, other = await network.peer(), await network.peer()
            answer = await peer.ask(q.RequestCheckTx(b"tx"))
            assert answer == r.ResponseCheckTx(code=1, data=b"tx")
            peer.writer.write(frame(encode_request(q.RequestEcho("never")))[:-2])
            peer.writer.write_eof()
            assert await peer.reader.read() == b""
            assert await other.ask(q.RequestEcho("hello")) == r.ResponseEcho("hello")
            assert network.server.held_bytes == 0

    play(story)
