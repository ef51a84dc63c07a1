"""The process that feeds the index, from the log and not from the core: it takes no time of others.

It looks fifty times a second whether the log has a block more that is known to be durable. Readers
tell it of damage that they meet.
"""

from __future__ import annotations

import select
import socket
import sqlite3
import threading
from pathlib import Path
from typing import Final

from tongbao.engines.memory import keep_what_is_loaded
from tongbao.index.feeder import Feeder
from tongbao.node.processes.child import Child
from tongbao.node.processes.recall_beside import IS_DAMAGED, NEWS, opened_beside
from tongbao.node.recall import open_index
from tongbao.sdk.beside import ChainBeside

LOOK_S: Final = 0.02


def run(child: Child) -> None:
    """Feed the index until told to stop."""
    orders = child.orders
    folder, settings = Path(orders.folder), orders.settings
    stop = threading.Event()
    child.on_stop = stop.set
    if child.is_told_to_stop:
        stop.set()
    path = Path(orders.sockets) / NEWS
    path.unlink(missing_ok=True)
    with (
        opened_beside(child) as chain,
        open_index(folder, chain.id, settings) as index,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as news,
    ):
        assert index is not None, "a node without an index has no such process"
        news.bind(str(path))
        chain.beside.look()
        feeder = Feeder(index, chain)
        feeder.start()
        keep_what_is_loaded()
        child.ready()
        try:
            _follow(chain, feeder, news, stop)
        finally:
            feeder.stop()
    child.stopped()


def _follow(chain: ChainBeside, feeder: Feeder, news: socket.socket, stop: threading.Event) -> None:
    """Wake the feeder for each new block, and for damage that others have met."""
    known = chain.beside.durable
    while not stop.is_set():
        heard, _, _ = select.select([news], [], [], LOOK_S)
        if heard and news.recv(len(IS_DAMAGED)) == IS_DAMAGED:
            feeder.tell(_damage())
        if chain.beside.look() > known:
            known = chain.beside.durable
            feeder.wake(known)


def _damage() -> sqlite3.DatabaseError:
    """What a reader has met."""
    error = sqlite3.DatabaseError("a reader has found it damaged")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


if __name__ == "__main__":
    Child.main(run)
