"""Tongbao: a real node under batches over HTTP, as `make bench` measures it."""

from __future__ import annotations

from bench.load import BATCH, CONNECTIONS, Flood, cuts, flood, pace
from bench.node import Node
from bench.peers.contender import Run
from bench.workload import Workload

TOGETHER = 100
TOGETHER_BATCH = 10


class Ours:
    """Signed payments, so many in a transaction."""

    def __init__(self, node: Node, workload: Workload, together: int = 1) -> None:
        """Send to a node."""
        self._node, self._workload, self._together = node, workload, together
        by = "" if together == 1 else f", {together} in a transaction"
        self.name = f"Tongbao, signed payments{by}"
        self.last: Flood | None = None
        batch = BATCH if together == 1 else TOGETHER_BATCH
        self._batch = batch
        self.conditions = (
            f"double entry with state root, receipt and proof, signature checked; {batch} "
            f"transactions a request, {CONNECTIONS} connections; answered when synced; index fed"
        )

    def run(self, count: int) -> Run:
        """So many payments."""
        wires = self._workload.payments(max(1, count // self._together), self._together)
        self.last = flood(self._node, wires, self._together, self._batch)
        return Run(self.last.rate, self.last.cpu_us)

    def latency(self, rate: float, count: int) -> dict[str, float]:
        """Milliseconds from the moment at which each was due, at so many a second."""
        return cuts(pace(self._node, self._workload.payments(count), rate).waited_ms)
