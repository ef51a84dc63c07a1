"""What the application leaves to whoever keeps snapshots, and how it is without anybody."""

from __future__ import annotations

from typing import Protocol

from tongbao.engines.cometbft import requests as q
from tongbao.engines.cometbft import responses as r
from tongbao.engines.cometbft.messages import ApplyResult, OfferResult


class Snapshots(Protocol):
    """State sync, as ABCI asks for it, and what follows a block."""

    def list_snapshots(self, request: q.RequestListSnapshots, /) -> r.ResponseListSnapshots:
        """Say which snapshots are here."""

    def offer_snapshot(self, request: q.RequestOfferSnapshot, /) -> r.ResponseOfferSnapshot:
        """Say whether a snapshot of others is wanted."""

    def load_snapshot_chunk(
        self, request: q.RequestLoadSnapshotChunk, /
    ) -> r.ResponseLoadSnapshotChunk:
        """Give a chunk."""

    def apply_snapshot_chunk(
        self, request: q.RequestApplySnapshotChunk, /
    ) -> r.ResponseApplySnapshotChunk:
        """Take in a chunk."""

    def committed(self) -> int:
        """A block was kept: the answer is the first that CometBFT must keep, 0 for all."""


class NoSnapshots:
    """None are offered, none are taken, and all blocks are kept."""

    def list_snapshots(self, request: q.RequestListSnapshots, /) -> r.ResponseListSnapshots:
        """None."""
        return r.ResponseListSnapshots()

    def offer_snapshot(self, request: q.RequestOfferSnapshot, /) -> r.ResponseOfferSnapshot:
        """Not wanted."""
        return r.ResponseOfferSnapshot(OfferResult.ABORT)

    def load_snapshot_chunk(
        self, request: q.RequestLoadSnapshotChunk, /
    ) -> r.ResponseLoadSnapshotChunk:
        """Not here."""
        return r.ResponseLoadSnapshotChunk()

    def apply_snapshot_chunk(
        self, request: q.RequestApplySnapshotChunk, /
    ) -> r.ResponseApplySnapshotChunk:
        """Not wanted."""
        return r.ResponseApplySnapshotChunk(ApplyResult.ABORT)

    def committed(self) -> int:
        """All."""
        return 0
