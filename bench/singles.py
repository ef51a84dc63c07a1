"""One payment a request and one a WebSocket message; and one that follows all events."""

from __future__ import annotations

import subprocess
import sys
import tempfile

import msgspec

from bench.load import cuts, flood, pace
from bench.node import Node
from bench.socket_sender import PATH, Streamed
from bench.workload import Workload

SINGLE = 0
SECONDS = 600
SOCKET_CONNECTIONS = 8
SOCKET_TIMES = 5
"""So many more payments over WebSockets than one a request: they take less time."""


def measure(node: Node, workload: Workload, count: int) -> dict[str, float]:
    """As fast as they are answered on sixteen connections, then at half of that; then follow."""
    fastest = flood(node, workload.payments(count), batch=SINGLE)
    sent = pace(node, workload.payments(count), fastest.rate / 2, SINGLE)
    ended = subprocess.run(
        [sys.executable, "-m", "bench.follow", node.address],
        stdout=subprocess.PIPE,
        check=True,
        timeout=SECONDS,
    )
    return streamed(node, workload, count * SOCKET_TIMES) | {
        "http_single_tx_per_s": fastest.rate,
        **{f"http_single_{name}": value for name, value in cuts(sent.waited_ms).items()},
        "websocket_events_per_s": float(ended.stdout),
    }


def streamed(node: Node, workload: Workload, count: int) -> dict[str, float]:
    """Payments a second over WebSockets; nothing where the node takes none there."""
    if PATH not in node.get("/openapi.json"):
        return {}
    with tempfile.NamedTemporaryFile("wb", suffix=".jws") as file:
        file.write(b"\n".join(workload.payments(count)))
        file.flush()
        command = [sys.executable, "-m", "bench.socket_sender", node.address, file.name]
        ended = subprocess.run(
            [*command, str(SOCKET_CONNECTIONS)],
            stdout=subprocess.PIPE,
            check=True,
            timeout=SECONDS,
        )
    found = msgspec.json.decode(ended.stdout, type=Streamed)
    return {"websocket_tx_per_s": found.payments / (found.ended - found.begun)}
