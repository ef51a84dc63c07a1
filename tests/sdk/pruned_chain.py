"""A chain in a folder whose first bodies were pruned: it goes on from a base."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import Final

from msgspec import Struct

from tests.sdk.kept_chain import ALONE, PASSPHRASE, begin, fund, pay
from tongbao.engines.solo import Producer, SoloEngine
from tongbao.kernel import Address
from tongbao.sdk import snapshots
from tongbao.sdk.client import Applied, Head, Refused
from tongbao.sdk.folder import Folder, write_new
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.local import Chain
from tongbao.sdk.opening import AUTHORITY, open_producer, operator_wallet
from tongbao.store.base import KEEP, base_name
from tongbao.store.store import Store

FIRST: Final = 5
"""The block that bodies begin with; that of the base is the one after it."""
BASE: Final = 6
LAST: Final = 8


class Pruned(Struct, frozen=True):
    """What the chain was when it was closed.

    `old` and `refused` stand in blocks whose bodies are gone (the wires are what was signed of
    them), `kept` in one that is there.
    """

    folder: Path
    head: Head
    shop: Address
    old: Applied
    wire: bytes
    refused: str
    refused_wire: bytes
    kept: Applied
    kept_wire: bytes


def open_small(folder: Path) -> tuple[Producer, Store]:
    """The machine of a folder, for writing, on a store whose files hold one block each."""
    place = Folder(folder)
    signer = Keystore(place.keys).unlock(AUTHORITY, PASSPHRASE)
    open_store = partial(Store.open, segment_bytes=1)
    return open_producer(place, place.genesis(), signer, open_store)


def reopen_small(folder: Path) -> Chain:
    """The same, running."""
    producer, store = open_small(folder)
    engine = SoloEngine(producer, ALONE)
    engine.start()
    return Chain(engine, store, Folder(folder).genesis())


def lay_base(folder: Path, first: int) -> None:
    """Make a base of the rows that a closed chain has, which keeps bodies from `first` on.

    The chain's bodies are all there yet; its next start gives up those below `first`.
    """
    producer, store = open_small(folder)
    with store:
        height = producer.machine.height
    snapshots.take(folder, folder / "taken")
    (folder / "taken").rename(folder / base_name(height))
    write_new(folder / base_name(height) / KEEP, b'{"first":%d}' % first)


def lay(folder: Path) -> Pruned:
    """A closed chain of blocks 0 to 8 on a base of block 6, with bodies from block 5 on."""
    chain, _ = begin(folder, "pruned")
    chain.close()
    with reopen_small(folder) as chain:
        operator = operator_wallet(chain, folder, PASSPHRASE)
        shop = fund(operator)
        wire = operator.build(pay(shop, "1.00"))
        old = chain.submit(wire)
        refused_wire = operator.build(pay(shop, "999999.00"))
        refused = _refused(chain, refused_wire)
        for amount in ("2.00", "3.00"):
            operator.send(pay(shop, amount))
        assert chain.head().height == BASE
    lay_base(folder, FIRST)
    with reopen_small(folder) as chain:
        operator = operator_wallet(chain, folder, PASSPHRASE)
        kept_wire = operator.build(pay(shop, "4.00"))
        kept = chain.submit(kept_wire)
        operator.send(pay(shop, "5.00"))
        assert (chain.head().height, chain.first_block) == (LAST, FIRST)
        return Pruned(folder, chain.head(), shop, old, wire, refused, refused_wire, kept, kept_wire)


def lay_bare(folder: Path) -> Pruned:
    """The same chain as it stood on its base, without the blocks of its log: as one imported."""
    found = lay(folder)
    for name in ("log", "state"):
        shutil.rmtree(folder / name)
    (folder / "headers").unlink()
    (folder / base_name(BASE) / KEEP).unlink()  # an import wants no body of before
    return found


def _refused(chain: Chain, wire: bytes) -> str:
    """The id of a transaction that is refused."""
    try:
        chain.submit(wire)
    except Refused as error:
        return error.transaction_id
    raise AssertionError("it was applied")
