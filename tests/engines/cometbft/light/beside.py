"""`cometbft light`, CometBFT's own light client, behind a relay that may change what it is told."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from tests.engines.cometbft.real import PROGRAM, SECONDS
from tongbao.engines.cometbft.rpc import Rpc, RpcError

Changes = Callable[[str, dict[str, Any], Any], None]
"""Changes the result of a method, asked with parameters."""
READY: Final = re.compile(r"Starting RPC HTTP server on (127\.0\.0\.1):(\d+)")


def unchanged(method: str, parameters: dict[str, Any], result: Any) -> None:
    """An honest relay."""


@contextmanager
def relay(rpc: Path, changes: Changes) -> Iterator[str]:
    """CometBFT's RPC, which listens at a unix socket, on loopback as well; gives the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = relayed(rpc, json.loads(body), changes)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def do_GET(self) -> None:
            """A WebSocket (RFC 6455, section 4.2.2) on which nothing is said: it wants one."""
            key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            accepted = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()  # noqa: S324
            self.send_header("Sec-WebSocket-Accept", accepted)
            self.end_headers()
            self.rfile.read()
            self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def relayed(rpc: Path, asked: dict[str, Any], changes: Changes) -> bytes:
    """An answer of CometBFT's, changed."""
    client = Rpc(rpc)
    parameters = asked.get("params") or {}
    answer: dict[str, Any] = {"jsonrpc": "2.0", "id": asked["id"]}
    try:
        answer["result"] = client.call(asked["method"], **parameters)
    except RpcError as error:
        answer["error"] = {"code": error.code, "message": error.message, "data": error.data}
    else:
        changes(asked["method"], parameters, answer["result"])
    finally:
        client.close()
    return json.dumps(answer).encode()


class LightClient:
    """A running `cometbft light`."""

    def __init__(self, port: int) -> None:
        """Speak to its proxy."""
        self._port = port

    def commit(self, height: int) -> dict[str, Any] | None:
        """The signed header of a height, once it is believed; None where it is not."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=SECONDS)
        connection.request("GET", f"/commit?height={height}")
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
        connection.close()
        if "result" not in answer:
            return None
        signed: dict[str, Any] = answer["result"]["signed_header"]
        return signed


@contextmanager
def light_client(
    address: str, chain: str, height: int, block_hash: str, home: Path
) -> Iterator[LightClient]:
    """Start it with a trusted height and hash, the relay being its primary and its witness."""
    command = [
        *(str(PROGRAM), "light", chain, "--primary", address, "--witnesses", address),
        *("--height", str(height), "--hash", block_hash, "--home-dir", str(home)),
        *("--laddr", "tcp://127.0.0.1:0", "--trusting-period", "24h"),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    lines: list[str] = []
    drain: threading.Thread | None = None
    try:
        for line in process.stdout:
            lines.append(line)
            found = READY.search(line)
            if found is not None:
                drain = threading.Thread(target=process.stdout.read)
                drain.start()
                yield LightClient(int(found[2]))
                return
        raise AssertionError("cometbft light is not ready:\n" + "".join(lines[-20:]))
    finally:
        process.kill()
        process.wait(SECONDS)
        if drain is not None:
            drain.join(SECONDS)
        process.stdout.close()
