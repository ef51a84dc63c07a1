"""A chain that grows block by block into small segments, and what it was at each height."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import Final

from msgspec import Struct

from tests.sdk.kept_chain import ALONE, PASSPHRASE, keep, pay
from tongbao.engines.solo import SoloEngine
from tongbao.kernel import Address
from tongbao.kernel.genesis import chain_id
from tongbao.sdk.client import Refused
from tongbao.sdk.folder import Folder
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.local import Chain
from tongbao.sdk.opening import AUTHORITY, open_producer, operator_wallet
from tongbao.store.record import BlockRecord, Status, statuses_of
from tongbao.store.store import Store

SEGMENT_BYTES: Final = 5_000
"""So small that a file of the log has two or three blocks."""

GROWN: Final = 9
"""Blocks that are made after the first six, one of them of a payment that is refused."""

TOO_MUCH: Final = "5000.00"
END: Final = b"\xff" * 16

Rows = list[tuple[bytes, bytes]]


class Told(Struct, frozen=True):
    """All that a store tells."""

    height: int
    blocks: list[BlockRecord]
    rows: Rows
    statuses: dict[bytes, Status]


class Grown(Struct, frozen=True):
    """Copies of a closed chain as it was at each height from `first` on, and what each told.

    `told` has all heights, the earliest without a copy.
    """

    folder: Path
    first: int
    stages: dict[int, Path]
    told: dict[int, Told]
    shop: Address

    @property
    def height(self) -> int:
        """The last block."""
        return max(self.stages)


def open_small(folder: Path) -> Chain:
    """Open a chain to write, into small segments."""
    place = Folder(folder)
    genesis = place.genesis()
    signer = Keystore(place.keys).unlock(AUTHORITY, PASSPHRASE)
    small = partial(Store.open, segment_bytes=SEGMENT_BYTES)
    producer, store = open_producer(place, genesis, signer, small)
    engine = SoloEngine(producer, ALONE)
    engine.start()
    return Chain(engine, store, genesis)


def send(folder: Path, shop: Address, amount: str) -> None:
    """Open, make one block of a payment, which may be refused, and close."""
    with open_small(folder) as chain:
        try:
            operator_wallet(chain, folder, PASSPHRASE).send(pay(shop, amount))
        except Refused:
            assert amount == TOO_MUCH


def told_by(folder: Path, ids: list[bytes]) -> Told:
    """All that the store in a folder tells, of these transactions among others."""
    genesis = Folder(folder).genesis()
    origin = "" if genesis.origin is None else genesis.origin.chain
    with Store.open(folder, chain_id(genesis), origin=origin) as store:
        blocks = [store.block(height) for height in range(store.first, store.height + 1)]
        found = {each: store.status(each) for each in ids}
        statuses = {each: status for each, status in found.items() if status is not None}
        return Told(store.height, blocks, list(store.scan(b"", END)), statuses)


def ids_of(told: Told) -> list[bytes]:
    """The transactions that its blocks have decided."""
    return [each for block in told.blocks for each, _ in statuses_of(block)]


def grow(folder: Path) -> Grown:
    """Begin a chain, and keep it as it is at each height."""
    kept = keep(folder)
    stages: dict[int, Path] = {}
    for height in range(kept.head.height, kept.head.height + GROWN + 1):
        if height > kept.head.height:
            send(folder, kept.shop, TOO_MUCH if height == kept.head.height + 4 else "1.00")
        stages[height] = Path(shutil.copytree(folder, folder.with_name(f"stage-{height}")))
    last = told_by(folder, [])
    ids = ids_of(last)
    told = {height: told_by(stage, ids) for height, stage in stages.items()}
    return Grown(folder, kept.head.height, stages, told, kept.shop)
