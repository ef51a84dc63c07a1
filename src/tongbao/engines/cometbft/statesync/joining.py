"""Joining a network by a snapshot of others: offered, fetched in chunks, verified, stood upon."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tongbao.engines.cometbft import requests as q
from tongbao.engines.cometbft import responses as r
from tongbao.engines.cometbft.blocks import Blocks
from tongbao.engines.cometbft.header import LocalHeader
from tongbao.engines.cometbft.messages import ApplyResult, OfferResult
from tongbao.engines.cometbft.statesync.laying import Laying, remove_left_over
from tongbao.engines.cometbft.statesync.offers import NotWanted, check_space, judge
from tongbao.engines.cometbft.statesync.writing import Writing
from tongbao.kernel import GenesisError, Machine, Registry
from tongbao.kernel.state import Backing
from tongbao.store.base import base_name
from tongbao.store.errors import StoreError
from tongbao.store.recovery import NO_BASE
from tongbao.store.snapshot.errors import BadSnapshot
from tongbao.store.store import Store

log = logging.getLogger("tongbao.engines.cometbft")


class Joiner(Protocol):
    """What the engine can't know of modules: the code of a chain's rows, and a machine on them."""

    def registry(self, rows: Backing, height: int, /) -> Registry:
        """The modules that decide after the block of these rows. Raises GenesisError."""

    def machine(self, store: Store, /) -> Machine:
        """A machine on the rows of a store, which are the last header's. Raises StoreError."""


class Joining:
    """What becomes of the snapshots that CometBFT offers. One thread calls it."""

    def __init__(
        self,
        folder: Path,
        store: Store,
        blocks: Blocks,
        joiner: Joiner,
        clock: Callable[[], int],
        writing: Writing | None = None,
    ) -> None:
        """Join with the chain in a folder; what a killed process had begun there is removed.

        `clock` gives milliseconds UTC. Raises OSError.
        """
        self._folder = folder
        self._store = store
        self._blocks = blocks
        self._joiner = joiner
        self._clock = clock
        self._writing = writing or Writing()
        self._laying: Laying | None = None
        self._header: LocalHeader | None = None
        remove_left_over(folder, self._writing)

    def offer(self, request: q.RequestOfferSnapshot, /) -> r.ResponseOfferSnapshot:
        """Take a snapshot that is later than what is here, if it can be right. Raises OSError."""
        self._give_up()
        try:
            self._begin(request)
        except NotWanted as error:
            log.warning("a snapshot is not taken: %s", error)
            return r.ResponseOfferSnapshot(error.result)
        return r.ResponseOfferSnapshot(OfferResult.ACCEPT)

    def _begin(self, request: q.RequestOfferSnapshot) -> None:
        genesis = self._blocks.machine.genesis_file
        if self._blocks.is_begun and self._store.height != self._store.base:
            raise NotWanted(OfferResult.ABORT, "this chain has blocks here already")
        above = max(self._store.height, 0)
        manifest, header = judge(request.snapshot, request.app_hash, genesis, above, self._clock())
        check_space(self._folder, manifest)
        self._laying = Laying(self._folder, manifest, genesis, self._writing)
        self._header = header
        chunks = len(manifest.chunks)
        log.info("joining at block %d, by a snapshot of %d chunks", header.height, chunks)

    def apply(self, request: q.RequestApplySnapshotChunk, /) -> r.ResponseApplySnapshotChunk:
        """Take a chunk in; the last one makes this chain go on from the snapshot's block.

        A bad chunk is fetched again, and its sender not asked any more.
        """
        laying, index = self._laying, request.index
        if laying is None or index >= len(laying.manifest.chunks):
            return r.ResponseApplySnapshotChunk(ApplyResult.ABORT)
        try:
            laying.add(index, request.chunk)
            if laying.is_whole:
                self._stand()
        except BadSnapshot as error:
            log.warning("chunk %d is refused: %s", index, error)
            return r.ResponseApplySnapshotChunk(
                ApplyResult.RETRY,
                refetch_chunks=(index,),
                reject_senders=(request.sender,) if request.sender else (),
            )
        except (StoreError, GenesisError, OSError) as error:
            log.error("this node can't join: %s", error)
            self._give_up()
            return r.ResponseApplySnapshotChunk(ApplyResult.ABORT)
        return r.ResponseApplySnapshotChunk(ApplyResult.ACCEPT)

    def _stand(self) -> None:
        """Make a base of what is laid, and stand on it."""
        laying, header = self._laying, self._header
        assert laying is not None and header is not None
        laying.finish(header.time, self._joiner.registry)
        target = self._folder / base_name(header.height)
        with self._blocks.reading():
            self._store.reopen(lambda: self._put(laying.path, target))
            machine = self._joiner.machine(self._store)
            assert machine.state_root == laying.manifest.root, "chunks make the root"
            self._blocks.adopt(machine, self._store)
        self._laying = self._header = None
        log.info("this node goes on from block %d", header.height)

    def _put(self, laid: Path, target: Path) -> None:
        """Let a base take the place of block 0, which the genesis file makes again if need be.

        A kill in between leaves block 0 or nothing: rows and headers go before the log that knows
        them, or the log would seem to have lost a block.
        """
        if self._store.base == NO_BASE:
            for name in ("headers", "state", "log"):
                self._writing.remove(self._folder / name)
        self._writing.remove(target)
        self._writing.rename(laid, target)

    def _give_up(self) -> None:
        """Forget a snapshot that was begun. Raises OSError."""
        if self._laying is not None:
            self._laying.close()
            self._laying = self._header = None
            remove_left_over(self._folder, self._writing)

    def close(self) -> None:
        """Give everything free; what was begun is removed."""
        self._give_up()
