"""What operators watch, for Prometheus. No label names a person, an account or an amount."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from tongbao.engines.cometbft.evidence import KINDS

MEDIA_TYPE: Final = CONTENT_TYPE_LATEST
SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


class Metrics:
    """The metrics of one node."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "tongbao_requests",
            "Requests by operation and status",
            ["operation", "status"],
            registry=self.registry,
        )
        self.refused = Counter(
            "tongbao_refused",
            "Requests refused before any operation: host, origin, rate",
            ["status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "tongbao_request_seconds",
            "Time from a request's head to its answer's head",
            ["operation"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.height = self._gauge("tongbao_height", "Height of the last block")
        self.block_time = self._gauge(
            "tongbao_block_time_seconds", "Time of the last block, seconds since 1970"
        )
        self.index_height = self._gauge(
            "tongbao_index_height", "Height of the last block in the index, -1 without an index"
        )
        self.index_lag = self._gauge("tongbao_index_lag_blocks", "Blocks that the index is behind")
        self.rows = self._gauge("tongbao_rows", "Rows of the state")
        self.streams = self._gauge("tongbao_streams", "Event streams that are open")
        self.disk_full = self._gauge(
            "tongbao_disk_full", "1 while no transactions are taken for want of space, else 0"
        )
        self.ready = self._gauge(
            "tongbao_ready", "1 while transactions are taken, else 0: `/readyz` says why"
        )
        self.clock = self._gauge(
            "tongbao_clock_seconds", "The clock of the node's machine, seconds since 1970"
        )
        self.queue = self._gauge("tongbao_queue", "Transactions that wait for a block")
        self.processes = Gauge(
            "tongbao_processes",
            "Processes that answer now, by role, where the node has several",
            ["role"],
            registry=self.registry,
        )
        self.misbehaviour = Counter(
            "tongbao_misbehaviour",
            "Evidence against validators in blocks of a network, by kind",
            ["kind"],
            registry=self.registry,
        )
        self._misbehaved = dict.fromkeys(KINDS, 0)
        for kind in KINDS:
            self.misbehaviour.labels(kind)

    def _gauge(self, name: str, meaning: str) -> Gauge:
        return Gauge(name, meaning, registry=self.registry)

    def count_misbehaviour(self, counts: Mapping[str, int]) -> None:
        """Take over how often each kind was seen since the process began."""
        for kind, count in counts.items():
            self.misbehaviour.labels(kind).inc(count - self._misbehaved[kind])
            self._misbehaved[kind] = count

    def text(self) -> bytes:
        """Everything in Prometheus's text format."""
        return generate_latest(self.registry)
