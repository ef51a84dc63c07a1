"""Signed payments over HTTP to a node: batches, single ones, and a follower of all events.

The node runs here, in one process with its signature checker; whoever sends and follows runs in
another (`bench/http_sender.py`), on the same cores.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bench.workload import Workload
from tongbao.engines.solo import Options
from tongbao.node.recall import open_index
from tongbao.node.server import address_of, listen, serve, server_of
from tongbao.node.settings import Settings

RUNS = 3
NO_LIMIT_PER_S = 10**6


def measure(workload: Workload, count: int, singles: int) -> dict[str, float]:
    """Payments a second by batches and singly, with latency from the intended send time.

    The workload's chain must be closed. Single ones are sent as fast as they are answered, then at
    half of that rate.
    """
    workload.reopen()
    with _node(workload) as address:
        _elsewhere("batches", address, workload.payments(count))  # warms up
        rates = [
            _elsewhere("batches", address, workload.payments(count))["rate"] for _ in range(RUNS)
        ]
        fastest = _elsewhere("singles", address, workload.payments(singles), 0.0)
        paced = _elsewhere("singles", address, workload.payments(singles), fastest["rate"] / 2)
        followed = _elsewhere("follow", address, [])
    return {
        "http_batch_tx_per_s": statistics.median(rates),
        "http_single_tx_per_s": fastest["rate"],
        "http_single_p50_ms": paced["p50"],
        "http_single_p95_ms": paced["p95"],
        "http_single_p99_ms": paced["p99"],
        "websocket_events_per_s": followed["rate"],
    }


@contextmanager
def _node(workload: Workload) -> Iterator[str]:
    """A node that serves the workload's chain, until the `with` statement ends."""
    settings = Settings(port=0, log_level="warning", rate_per_s=NO_LIMIT_PER_S)
    options = Options(queue_transactions=settings.queue_transactions)
    with (
        workload.chain(options) as chain,
        open_index(workload.folder.path, chain.id, settings) as index,
        listen(settings) as listening,
    ):
        server = server_of(chain, settings, index)
        thread = threading.Thread(target=serve, args=(server, listening))
        thread.start()
        try:
            yield address_of(listening)
        finally:
            server.should_exit = True
            thread.join()


def _elsewhere(how: str, address: str, wires: list[bytes], rate: float = 0.0) -> dict[str, float]:
    """Let another process send or follow, and tell what it saw."""
    with tempfile.NamedTemporaryFile("wb", suffix=".jws") as file:
        file.write(b"\n".join(wires))
        file.flush()
        command = [sys.executable, "-m", "bench.http_sender", how, address, file.name, str(rate)]
        ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=600)
    found: dict[str, float] = json.loads(ended.stdout)
    return found
