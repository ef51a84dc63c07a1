"""Payments made beforehand, handed to the sender's process, and what the node made of them."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.node import Lag, Node
from bench.processes import difference
from bench.requests import write
from bench.sender import Sent

BATCH = 500
CONNECTIONS = 16
PACED_BATCH = 100
PACED_CONNECTIONS = 64
LONGEST_S = 3_600
LAG_LIMIT_S = 2.0
"""Throughput counts only while the index is less than this behind."""
US = 1e6
CUTS = ("p50_ms", "p95_ms", "p99_ms")


class Flood(Struct):
    """What came of payments that were sent as fast as they were answered."""

    rate: float
    """Payments a second until the last answer, or until the index was 2 s behind, if later."""
    payments: int
    seconds: float
    cpu_us: dict[str, float]
    """Of each kind of process, the sender's among them, for one payment."""
    index_lag_s: float
    blocks: int


class Batches:
    """A file of requests, that is removed at the end of the `with` statement."""

    def __init__(self, wires: Iterable[bytes], batch: int = BATCH, payments: int = 1) -> None:
        """Make requests of `batch` transactions with so many payments in each."""
        handle, name = tempfile.mkstemp(suffix=".requests")
        self.path = Path(name)
        with os.fdopen(handle, "wb") as file:
            write(file, wires, batch, payments)

    def __enter__(self) -> Batches:
        """The file is there."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove it."""
        self.path.unlink()


def send(node: Node, batches: Batches, connections: int = CONNECTIONS, rate: float = 0.0) -> Sent:
    """Let another process send them, and tell what it saw."""
    command = [sys.executable, "-m", "bench.sender", node.address, str(batches.path)]
    ended = subprocess.run(
        [*command, str(connections), str(rate)],
        stdout=subprocess.PIPE,
        check=True,
        timeout=LONGEST_S,
    )
    return msgspec.json.decode(ended.stdout, type=Sent)


def flood(node: Node, wires: list[bytes], payments: int = 1, batch: int = BATCH) -> Flood:
    """Send in batches, as fast as they are answered, until the index has them all."""
    with Batches(wires, batch, payments) as batches:
        height, before = node.look().height, node.cpu_s()
        with Lag(node) as lag:
            sent = send(node, batches)
        used = difference(node.cpu_s(), before)
        last = node.look().height
    used["sender"] = sent.cpu_s
    seconds = max(sent.ended, lag.caught_up - LAG_LIMIT_S) - sent.begun
    return Flood(
        sent.payments / seconds,
        sent.payments,
        seconds,
        {role: US * each / sent.payments for role, each in used.items()},
        lag.worst_s,
        last - height,
    )


def pace(node: Node, wires: list[bytes], rate: float, batch: int = PACED_BATCH) -> Sent:
    """Send batches at so many payments a second; each waits from its intended moment on."""
    with Batches(wires, batch) as batches:
        return send(node, batches, PACED_CONNECTIONS, rate)


def cuts(waited: list[float]) -> dict[str, float]:
    """The percentiles that are told."""
    found = statistics.quantiles(waited, n=100, method="inclusive")
    return dict(zip(CUTS, (found[49], found[94], found[98]), strict=True))


def median_of(floods: list[Flood]) -> Flood:
    """The one whose rate is the median of an odd number, else the lower of the two."""
    return sorted(floods, key=lambda one: one.rate)[(len(floods) - 1) // 2]
