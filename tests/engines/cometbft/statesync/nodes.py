"""Nodes without CometBFT: its calls are made by hand, over real folders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from msgspec.structs import replace

from tests.fixed_chain import BEGIN, FIRST_MODULES, HOUR, FixedChain, fixed_genesis, key
from tongbao.engines.cometbft import requests as q
from tongbao.engines.cometbft import responses as r
from tongbao.engines.cometbft.application import MachineApplication
from tongbao.engines.cometbft.messages import Snapshot, Timestamp
from tongbao.engines.cometbft.statesync.joining import Joining
from tongbao.engines.cometbft.statesync.options import SyncOptions
from tongbao.engines.cometbft.statesync.service import SnapshotService
from tongbao.engines.cometbft.statesync.writing import Writing
from tongbao.kernel import Genesis, Machine, Registry
from tongbao.kernel.genesis import chain_id
from tongbao.kernel.state import Backing
from tongbao.sdk.genesis_builder import build_genesis, single_key
from tongbao.store.store import Store

SECOND = 1_000
ACCOUNTS = 60_000
"""More than one chunk holds."""


@dataclass(frozen=True)
class FixedJoiner:
    """The code of the fixed chain's modules, for whatever rows come."""

    genesis: Genesis

    def registry(self, rows: Backing, height: int, /) -> Registry:
        """Its modules."""
        return FIRST_MODULES

    def machine(self, store: Store, /) -> Machine:
        """A machine on the rows of a store."""
        last = store.last
        height, time = (-1, 0) if last is None else (last.height, last.time)
        return Machine(FIRST_MODULES, self.genesis, store, height, time)


@dataclass
class Node:
    """One node, as CometBFT sees it."""

    folder: Path
    store: Store
    application: MachineApplication
    service: SnapshotService

    def begin(self) -> bytes:
        """InitChain: the first application hash."""
        name = self.application.blocks.machine.chain
        return self.application.init_chain(
            q.RequestInitChain(chain_id=name, initial_height=1)
        ).app_hash

    def decide(self, height: int, *wires: bytes) -> bytes:
        """A block, kept: the application hash behind it."""
        time = BEGIN // SECOND + height
        found = self.application.finalize_block(
            q.RequestFinalizeBlock(
                txs=wires, hash=bytes([height]) * 32, height=height, time=Timestamp(time, 7_000_000)
            )
        )
        self.application.commit(q.RequestCommit())
        return found.app_hash

    def snapshots(self) -> tuple[Snapshot, ...]:
        """What it offers, once the snapshot that is being taken is there."""
        self.service.taker.wait()
        return self.application.list_snapshots(q.RequestListSnapshots()).snapshots

    def chunk(self, snapshot: Snapshot, index: int) -> bytes:
        """A chunk that it serves."""
        return self.application.load_snapshot_chunk(
            q.RequestLoadSnapshotChunk(snapshot.height, snapshot.format, index)
        ).chunk

    def offer(self, snapshot: Snapshot | None, app_hash: bytes) -> r.ResponseOfferSnapshot:
        """Offer it one."""
        return self.application.offer_snapshot(q.RequestOfferSnapshot(snapshot, app_hash))

    def apply(
        self, index: int, chunk: bytes, sender: str = "somebody"
    ) -> r.ResponseApplySnapshotChunk:
        """Hand it a chunk."""
        return self.application.apply_snapshot_chunk(
            q.RequestApplySnapshotChunk(index, chunk, sender)
        )

    def info(self) -> tuple[int, bytes]:
        """Where it says that it stands."""
        found = self.application.info(q.RequestInfo())
        return found.last_block_height, found.last_block_app_hash


def now() -> int:
    """The time of a clock that stands."""
    return BEGIN + HOUR


@contextmanager
def node(
    folder: Path,
    genesis: Genesis | None = None,
    options: SyncOptions | None = None,
    clock: Callable[[], int] = now,
) -> Iterator[Node]:
    """A node's process on a folder, from start to end."""
    folder.mkdir(exist_ok=True)
    genesis = genesis or fixed_genesis()
    joiner = FixedJoiner(genesis)
    with Store.open(folder, chain_id(genesis)) as store:
        application = MachineApplication(joiner.machine(store), store, clock)
        blocks = application.blocks
        with SnapshotService(folder, store, blocks, joiner, clock, options) as service:
            application.snapshots = service
            yield Node(folder, store, application, service)


def step_by_step(one: Node, writing: Writing) -> None:
    """Let a node's way of joining tell its steps."""
    genesis = one.application.blocks.machine.genesis_file
    joiner = FixedJoiner(genesis)
    one.service.joining = Joining(
        one.folder, one.store, one.application.blocks, joiner, now, writing
    )


@cache
def large_genesis() -> Genesis:
    """The fixed chain's genesis with so many accounts that its rows need several chunks."""
    account = single_key(key("alice").key_id)
    authority = key("authority").key_id
    made = build_genesis(FIRST_MODULES, "large", BEGIN, authority, (account,) * ACCOUNTS)
    lines = fixed_genesis().modules
    return replace(made, modules=lines)


@cache
def history() -> tuple[tuple[bytes, ...], ...]:
    """Blocks with payments, refusals, and holds that return later."""
    chain = FixedChain()
    return (
        chain.store.block(1).transactions,
        (chain.pay("12.50"), chain.pay("500.00")),
        (chain.place("5.00", 3_500), chain.place("1.00", 600_000)),
        (chain.pay("0.25"),),
        (),
        (chain.pay("0.05"), chain.pay("0.01")),
        (chain.pay("0.02"),),
        (),
    )
