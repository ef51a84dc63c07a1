"""The node that is killed: wired as `tongbao run` wires it, on a disk with a fate."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from tongbao.engines.solo import SoloEngine
from tongbao.index.history import FILE
from tongbao.node.logs import configure_log
from tongbao.node.server import listen_at, serve, server_of
from tongbao.node.settings import Settings
from tongbao.sdk.folder import Folder
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.local import Chain
from tongbao.sdk.opening import AUTHORITY, open_producer
from tongbao.simulation.crash.dying_disk import DyingDisk, DyingIndex, Fate
from tongbao.simulation.crash.points import INDEX_ANEW, Death, Trouble
from tongbao.store.store import Store

PASSPHRASE: Final = "a passphrase of the campaign"
SEGMENT_BYTES: Final = 150_000
"""Small, so that segments begin often."""
STDERR: Final = 2


def serve_folder(folder: Path, port: int, death: Death | None, trouble: Trouble, log: Path) -> None:
    """Serve the chain of a folder until told to stop, or until the planned end."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    os.dup2(descriptor, STDERR)
    os.close(descriptor)
    DyingIndex.fate = fate = Fate(death, trouble)
    settings = msgspec.convert({"port": port, "log_level": "warning"}, Settings)
    configure_log(settings)  # before the store tells what it has mended
    place = Folder(folder)
    with listen_at(settings) as listening:
        genesis = place.genesis()
        signer = Keystore(place.keys).unlock(AUTHORITY, PASSPHRASE)
        producer, store = open_producer(
            place,
            genesis,
            signer,
            partial(Store.open, disk=DyingDisk(fate), segment_bytes=SEGMENT_BYTES),
        )
        engine = SoloEngine(producer)
        engine.start()
        with Chain(engine, store, genesis) as chain, _index(folder, chain, fate) as index:
            serve(server_of(chain, settings, index), listening)


def _index(folder: Path, chain: Chain, fate: Fate) -> DyingIndex:
    path = folder / FILE
    if path.exists():
        return DyingIndex.open(path, chain.id)
    with fate.around(INDEX_ANEW):
        return DyingIndex.open(path, chain.id)
