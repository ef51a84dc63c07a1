"""When a CometBFT without a peer is started again; with a clock that the test turns."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import UnixStreamServer
from tempfile import TemporaryDirectory

import msgspec

from tongbao.engines.cometbft.dialing import FIRST_SECONDS, IDLE_SECONDS, LONGEST_SECONDS, Dialing
from tongbao.engines.cometbft.rpc import Rpc

NEVER = -1_000_000.0


class Peers(UnixStreamServer):
    """An RPC that answers `net_info` alone, with as many peers as it is told."""

    count = 0


class Answer(BaseHTTPRequestHandler):
    """One answer of it."""

    protocol_version = "HTTP/1.1"
    server: Peers

    def do_POST(self) -> None:
        """Answer JSON-RPC."""
        asked = msgspec.json.decode(self.rfile.read(int(self.headers["Content-Length"])))
        result = {"listening": True, "n_peers": str(self.server.count), "peers": []}
        answers = [{"jsonrpc": "2.0", "id": one["id"], "result": result} for one in asked]
        body = msgspec.json.encode(answers)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""

    def address_string(self) -> str:
        """Unix sockets have none."""
        return ""


@contextmanager
def peers() -> Iterator[tuple[Peers, Rpc]]:
    """The server, and who asks it."""
    with TemporaryDirectory() as short:
        path = Path(short) / "rpc.sock"
        with Peers(str(path), Answer) as server:
            thread = threading.Thread(target=server.serve_forever, daemon=True)
            thread.start()
            rpc = Rpc(path)
            try:
                yield server, rpc
            finally:
                rpc.close()
                server.shutdown()


def test_it_is_woken_after_a_while_then_after_twice_as_long() -> None:
    """
    Given a node without power that has peers to dial and none connected,
    when time passes, a peer comes and goes, and no peer comes for very long,
    then it is woken after the first pause, then after twice as long, at most after the longest; a
    peer makes the pauses short again.
    """
    now = 0.0
    with peers() as (server, rpc):
        dialing = Dialing(rpc, dials=True, clock=lambda: now)
        woken = []
        for second in range(2_000):
            now = float(second)
            if dialing.gave_up(0, NEVER):
                woken.append(second)
        pauses = [after - before for before, after in zip([0, *woken], woken, strict=False)]
        assert pauses[:3] == [FIRST_SECONDS, 2 * FIRST_SECONDS + 1, 4 * FIRST_SECONDS + 1]
        assert max(pauses) == LONGEST_SECONDS + 1
        server.count = 1
        assert not dialing.gave_up(0, NEVER)
        server.count = 0
        assert not dialing.gave_up(0, NEVER)
        now += FIRST_SECONDS
        assert dialing.gave_up(0, NEVER)


def test_who_makes_blocks_alone_or_has_nobody_to_dial_is_let_alone() -> None:
    """
    Given no peer for an hour,
    when a validator makes a block every half minute, and a node has no peers to dial,
    then neither is woken; the validator is, once its blocks stay away.
    """
    now = 0.0
    with peers() as (_, rpc):
        validator = Dialing(rpc, dials=True, clock=lambda: now)
        alone = Dialing(rpc, dials=False, clock=lambda: now)
        for second in range(3_600):
            now = float(second)
            assert not validator.gave_up(10, now - second % 30)
            assert not alone.gave_up(0, NEVER)
        assert not validator.gave_up(10, now - IDLE_SECONDS)
        assert validator.gave_up(10, now - IDLE_SECONDS - 1)
