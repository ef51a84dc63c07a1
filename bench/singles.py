"""One payment a request, as the simplest client sends it; and one that follows all events."""

from __future__ import annotations

import subprocess
import sys

from bench.load import cuts, flood, pace
from bench.node import Node
from bench.workload import Workload

SINGLE = 0
SECONDS = 600


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
    return {
        "http_single_tx_per_s": fastest.rate,
        **{f"http_single_{name}": value for name, value in cuts(sent.waited_ms).items()},
        "websocket_events_per_s": float(ended.stdout),
    }
