"""The RPC client: with a real CometBFT, and with a peer that answers what it likes."""

from __future__ import annotations

import base64
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.engines.cometbft.needed import not_tested
from tests.engines.cometbft.real import PROGRAM, running
from tests.engines.cometbft.test_real import CNY, funding, signed
from tests.fixed_chain import FixedChain
from tongbao.engines.cometbft import rpc as module
from tongbao.engines.cometbft.keys import address_of, read_node_id, read_validator_key
from tongbao.engines.cometbft.rpc import Rpc, RpcError, RpcUnreachable
from tongbao.engines.cometbft.rpc_answers import Broadcast
from tongbao.kernel import Amount, ChainId
from tongbao.modules import asset

SECONDS = 20


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path a socket can have."""
    with TemporaryDirectory() as name:
        yield Path(name)


@contextmanager
def peer(path: Path, *answers: bytes) -> Iterator[list[bytes]]:
    """A server that gives each request the next answer, raw; the bodies that it was sent.

    It closes a connection after each answer, and says nothing more when there is none left.
    """
    bodies: list[bytes] = []
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()

    def serve() -> None:
        for answer in answers:
            connection, _ = listener.accept()
            with connection, connection.makefile("rb") as asked:
                length = 0
                while (line := asked.readline()) not in (b"\r\n", b""):
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.partition(b":")[2])
                bodies.append(asked.read(length))
                connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    with listener:
        yield bodies
        thread.join(SECONDS)


def paid(chain: ChainId, name: str, nonce: int) -> bytes:
    """A cent to the shop; a nonce is at most 256 above those that were used."""
    message = asset.Transfer(asset=CNY, amount=Amount("0.01"), payee=FixedChain.shop)
    return signed(chain, name, nonce, message)


def http(body: bytes) -> bytes:
    """An HTTP answer after which the connection seems to stay."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def test_a_real_cometbft_answers_calls_batches_and_threads(tmp_path: Path, short: Path) -> None:
    """
    Given CometBFT with one validator,
    when it is asked who it is, is given 500 transactions in one batch, twice, and by eight
    threads 40 more, and is asked for a header, its votes and its validators,
    then each call has its own answer or error, the answers name this node, and after a kill it is
    unreachable until it is started again, when the same client goes on.
    """
    if not PROGRAM.is_file():
        not_tested(str(PROGRAM))
    with running(short, tmp_path / "chain") as (node, _, chain), closing(Rpc(node.rpc)) as rpc:
        public = read_validator_key(node.home)
        status = rpc.status()
        assert (status.node_info.id, status.node_info.network) == (read_node_id(node.home), chain)
        assert status.validator_info.pub_key.value == public
        assert rpc.net_info().peers == []
        assert node.finish(funding(chain)) == 0
        wires = [paid(chain, who, nonce) for who in ("alice", "shop") for nonce in range(1, 251)]
        sent = rpc.broadcast(wires, "broadcast_tx_async")
        hashes = [sha256(wire).hexdigest().upper() for wire in wires]
        assert sent == [Broadcast(code=0, hash=name) for name in hashes]
        [again] = rpc.broadcast(wires[:1])
        assert isinstance(again, RpcError) and again.is_in_cache and not again.is_full
        more = [paid(chain, "bank", nonce) for nonce in range(2, 42)]
        given: list[Broadcast | RpcError] = []
        threads = [
            threading.Thread(target=lambda part=more[start::8]: given.extend(rpc.broadcast(part)))
            for start in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS)
        assert {one.hash for one in given if isinstance(one, Broadcast)} == {
            sha256(wire).hexdigest().upper() for wire in more
        }
        assert node.finish(paid(chain, "alice", 251)) == 0
        last = rpc.status().sync_info.latest_block_height
        header = rpc.commit(last)
        assert (header.header.height, header.header.chain_id) == (last, chain)
        address = address_of(public).hex().upper()
        assert [vote.validator_address for vote in header.commit.signatures] == [address]
        assert [one.address for one in rpc.validators(last)] == [address]
        with pytest.raises(RpcError, match="must be less than or equal"):
            rpc.commit(last + 1_000)
        healthy, unknown, named = rpc.batch(
            [("health", {}), ("no_such_call", {}), ("commit", {"height": "1"})]
        )
        assert healthy == {}
        assert isinstance(unknown, RpcError) and unknown.code == -32601
        assert named["signed_header"]["header"]["height"] == "1"
        node.kill()
        with pytest.raises(RpcUnreachable, match="does not answer at"):
            rpc.status()
        node.start()
        assert rpc.status().node_info.id == read_node_id(node.home)


def test_a_connection_that_was_closed_meanwhile_is_replaced(short: Path) -> None:
    """
    Given a peer that seems to keep connections and closes each behind its answer,
    when two calls are made, and a third when it listens no more,
    then both have their answers, and the third is unreachable.
    """
    path = short / "rpc.sock"
    answer = http(b'{"jsonrpc":"2.0","id":0,"result":{"n":1}}')
    with closing(Rpc(path)) as rpc:
        with peer(path, answer, answer):
            assert [rpc.call("health"), rpc.call("health")] == [{"n": 1}, {"n": 1}]
        with pytest.raises(RpcUnreachable, match="refused"):
            rpc.call("health")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", "does not answer"),
        (b"no HTTP\r\n\r\n", "does not answer"),
        (http(b"no JSON"), "no JSON-RPC answer"),
        (http(b"[]"), "has no answer"),
        (http(b'{"id":7,"result":{}}'), "has no answer"),
        (http(b'{"id":0,"result":[1]}'), "another form"),
        (http(b'{"id":null,"error":{"code":-32600,"message":"No","data":"too many"}}'), "No: too"),
    ],
)
def test_an_answer_that_is_none_is_an_error_in_words(
    short: Path, answer: bytes, error: str
) -> None:
    """
    Given a peer that answers with nothing, with no HTTP, no JSON, or not to the call,
    when its status is asked for,
    then the error says what is wrong, and nothing else is raised.
    """
    path = short / "rpc.sock"
    with (
        peer(path, answer),
        closing(Rpc(path)) as rpc,
        pytest.raises((RpcUnreachable, RpcError), match=error),
    ):
        rpc.status()


def test_a_peer_that_says_nothing_is_unreachable_in_time(short: Path) -> None:
    """
    Given a socket on which nobody answers,
    when a call with a limit of a tenth of a second is made,
    then it is unreachable.
    """
    path = short / "rpc.sock"
    with socket.socket(socket.AF_UNIX) as listener, closing(Rpc(path, seconds=0.1)) as rpc:
        listener.bind(str(path))
        listener.listen()
        with pytest.raises(RpcUnreachable, match="timed out"):
            rpc.status()


def test_a_long_batch_goes_in_requests_within_their_limits(short: Path) -> None:
    """
    Given 501 small transactions and two of 5 MiB,
    when they are broadcast, to a peer that refuses each request as a whole,
    then three requests were made, of at most 500 calls and 8 MiB, with the bytes in base64, and
    every transaction has the refusal.
    """
    path = short / "rpc.sock"
    refusal = http(b'{"id":null,"error":{"code":-32600,"message":"No"}}')
    wires = [*([b"small"] * 501), *([bytes(5 * 1024 * 1024)] * 2)]
    with peer(path, refusal, refusal, refusal) as bodies, closing(Rpc(path)) as rpc:
        answers = rpc.broadcast(wires)
    assert [str(answer) for answer in answers] == ["No"] * 503
    assert [body.count(b'"method"') for body in bodies] == [500, 2, 1]
    assert bodies[0].count(base64.b64encode(b"small")) == module.BATCH_CALLS
    assert max(map(len, bodies)) < module.REQUEST_BYTES
