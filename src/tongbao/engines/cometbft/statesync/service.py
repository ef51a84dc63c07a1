"""Snapshots behind ABCI: four answers, and what there is to do behind a block."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tongbao.engines.cometbft import requests as q
from tongbao.engines.cometbft import responses as r
from tongbao.engines.cometbft.blocks import Blocks
from tongbao.engines.cometbft.statesync.cutting import Order
from tongbao.engines.cometbft.statesync.joining import Joiner, Joining
from tongbao.engines.cometbft.statesync.kept import Kept
from tongbao.engines.cometbft.statesync.options import SyncOptions
from tongbao.engines.cometbft.statesync.retaining import retain_height
from tongbao.engines.cometbft.statesync.taking import Taker
from tongbao.store.closable import Closable
from tongbao.store.store import Store

log = logging.getLogger("tongbao.engines.cometbft")

SNAPSHOTS: Final = "snapshots"
"""The folder within a chain's folder."""


class SnapshotService(Closable):
    """All that one node does about snapshots."""

    def __init__(
        self,
        folder: Path,
        store: Store,
        blocks: Blocks,
        joiner: Joiner,
        clock: Callable[[], int],
        options: SyncOptions | None = None,
    ) -> None:
        """Serve the snapshots in a chain's folder, and join by others where it has no block yet.

        `clock` gives milliseconds UTC. Raises OSError.
        """
        self._options = options or SyncOptions()
        self._store = store
        self._blocks = blocks
        self.kept = Kept(folder / SNAPSHOTS, self._options.keep)
        self.taker = Taker(self.kept)
        self.joining = Joining(folder, store, blocks, joiner, clock)

    def list_snapshots(self, request: q.RequestListSnapshots, /) -> r.ResponseListSnapshots:
        """The newest that are here."""
        return r.ResponseListSnapshots(self.kept.offered())

    def load_snapshot_chunk(
        self, request: q.RequestLoadSnapshotChunk, /
    ) -> r.ResponseLoadSnapshotChunk:
        """The bytes of a chunk; none where it is not here."""
        found = self.kept.chunk(request.height, request.format, request.chunk)
        return r.ResponseLoadSnapshotChunk(found)

    def offer_snapshot(self, request: q.RequestOfferSnapshot, /) -> r.ResponseOfferSnapshot:
        """Whether it is wanted."""
        return self.joining.offer(request)

    def apply_snapshot_chunk(
        self, request: q.RequestApplySnapshotChunk, /
    ) -> r.ResponseApplySnapshotChunk:
        """Take a chunk in."""
        return self.joining.apply(request)

    def committed(self) -> int:
        """Behind a block that was kept: take a snapshot where it is time.

        The answer is the first block that CometBFT must keep, 0 for all. Raises StoreError.
        """
        interval, height = self._options.interval, self._store.height
        if interval and height > 0 and height % interval == 0:
            self._take()
        return retain_height(height, self._options.retain_blocks, self.kept.oldest)

    def _take(self) -> None:
        """Pin the rows of the last block, and leave the rest to others."""
        if self.taker.is_busy:
            log.warning("no snapshot of block %d: one is still being taken", self._store.height)
            return
        with self._blocks.reading() as now:
            now.rest()
            last, machine = self._store.last, now.machine
            if last is None or last.height != machine.height or self._store.lack is not None:
                return
            order = Order(
                chain=machine.chain,
                genesis=machine.genesis_hash,
                height=last.height,
                header=last.header,
                root=machine.state_root,
                tables=tuple(sorted(machine.registry.tables)),
            )
            pin = self._store.pin()
            assert pin.height == last.height, "the rows have followed"
            self.taker.take(pin, order)

    def close(self) -> None:
        """End what is under way. May be called again."""
        self.taker.close()
        self.joining.close()
