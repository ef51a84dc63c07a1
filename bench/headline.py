"""The figures of a node under load: batches over HTTP from another process, to durable blocks."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from typing import Any

from bench.load import Flood, cuts, flood, median_of, pace
from bench.node import Lag, Node, core_of
from bench.processes import difference
from bench.reads import PER_S, TOLD, Readers, ids_of
from bench.verify_rate import Beside
from bench.workload import Workload

TOGETHER = 100
TOGETHER_BATCH = 10
"""Transactions of 100 payments in a request: 320 KB, as 500 single ones are."""
PACED_S = 10.0
SOME_IDS = 1_000


class Headline:
    """One node, one chain, and figures of them; runs of all kinds take turns."""

    def __init__(self, node: Node, workload: Workload, count: int, runs: int) -> None:
        """Measure with so many payments a run, so many runs of each kind."""
        self._node, self._workload = node, workload
        self._count, self._runs = count, runs
        self._ids: list[str] = []
        self._paced_s = min(PACED_S, count / 1_000)

    def measure(self) -> dict[str, Any]:
        """All figures."""
        self._flood()  # warms up
        found = self._floods()
        half = found["submit_durable_tx_per_s"] / 2
        return found | self._at_half(half) | {"rss_mb": core_of(self._node.rss_mb())}

    def _flood(self) -> Flood:
        wires = self._workload.payments(self._count)
        self._ids = ids_of(wires[:SOME_IDS])
        return flood(self._node, wires)

    def _floods(self) -> dict[str, Any]:
        """Alone, with readers beside, and 100 payments in one transaction, again and again."""
        alone, read, together = [], [], []
        beside = Beside(min(1.5, self._count / 10_000))
        expected_s = 1.0
        for run in range(self._runs):
            alone.append(self._flood())
            ratio = beside.note(alone[-1].rate)
            expected_s = alone[-1].seconds
            with self._readers().reading(expected_s):
                read.append(self._flood())
            wires = self._workload.payments(max(1, self._count // TOGETHER), TOGETHER)
            together.append(flood(self._node, wires, TOGETHER, TOGETHER_BATCH))
            print(
                f"  run {run + 1}: {alone[-1].rate:,.0f} payments/s ({ratio:.3f} L), "
                f"{read[-1].rate:,.0f} with readers, {together[-1].rate:,.0f} by the hundred",
                flush=True,
            )
        middle = median_of(alone)
        by_hundred = [many.rate / one.rate for many, one in zip(together, alone, strict=True)]
        lost = [1 - few.rate / one.rate for few, one in zip(read, alone, strict=True)]
        return {
            "rates": [one.rate for one in alone],
            "verify_per_s": beside.verify_per_s,
            "submit_durable_tx_per_s": middle.rate,
            "ratio_to_verify": beside.ratio,
            "cpu_us_per_tx_by_process": middle.cpu_us,
            "index_lag_s": max(one.index_lag_s for one in alone),
            "transactions_per_block": middle.payments / middle.blocks,
            "conflict_rate": self._conflict_rate(round(middle.payments / middle.blocks)),
            "hundred_payments_per_s": median_of(together).rate,
            "hundred_ratio": statistics.median(by_hundred),
            "hundred_cpu_us_by_process": median_of(together).cpu_us,
            "hundred_index_lag_s": max(one.index_lag_s for one in together),
            "with_reads_tx_per_s": median_of(read).rate,
            "reads_cost_percent": 100 * statistics.median(lost),
        }

    def _conflict_rate(self, block: int) -> float:
        drawn = list(self._workload.draw(self._count))
        return conflict_rate(drawn, max(1, block))

    def _readers(self) -> Readers:
        workload = self._workload
        return Readers(self._node, workload.addresses, workload.usd, self._ids)

    def _at_half(self, rate: float) -> dict[str, Any]:
        """Latency at half of the most, alone and beside readers, and what these cost."""
        count = max(100, int(rate * self._paced_s))
        before = self._node.cpu_s()
        with Lag(self._node) as lag:
            sent = pace(self._node, self._workload.payments(count), rate)
        alone_s = sum(difference(self._node.cpu_s(), before).values())
        wires = self._workload.payments(count)
        before = self._node.cpu_s()
        readers = self._readers()
        with Lag(self._node), readers.reading(self._paced_s) as reading:
            read = pace(self._node, wires, rate)
        read_s = sum(difference(self._node.cpu_s(), before).values())
        cores = len(os.sched_getaffinity(0))
        beside = cuts(read.waited_ms)
        return {
            **cuts(sent.waited_ms),
            "half_load_tx_per_s": rate,
            "half_load_index_lag_s": lag.worst_s,
            "reads_per_s": reading.per_s,
            "reads_asked_per_s": PER_S,
            "reads_mix": TOLD,
            "reads_of_statements": readers.has_statements,
            "reads_p50_ms": statistics.median(reading.sent.waited_ms),
            "reads_p99_ms": cuts(reading.sent.waited_ms)["p99_ms"],
            "reads_p50_ms_by_kind": {
                name: statistics.median(waited) for name, waited in reading.by_name().items()
            },
            "half_load_kept": (read.payments / read.seconds) / rate,
            "half_load_p99_ms_with_reads": beside["p99_ms"],
            "reads_cpu_percent": 100 * (read_s - alone_s) / (self._paced_s * cores),
        }


def conflict_rate(drawn: Sequence[Sequence[int]], block: int) -> float:
    """The share of transactions that touch an account which another of their block touches."""
    shared = 0
    for at in range(0, len(drawn), block):
        part = drawn[at : at + block]
        often: dict[int, int] = {}
        for accounts in part:
            for account in accounts:
                often[account] = often.get(account, 0) + 1
        shared += sum(any(often[account] > 1 for account in accounts) for accounts in part)
    return shared / len(drawn)
