"""The core: opens the chain, decides and commits; answers proofs and dry runs between blocks."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Final, cast

from msgspec.structs import replace

from tongbao.engines.interface import Deciding
from tongbao.node.app import create_app
from tongbao.node.opening import opened
from tongbao.node.processes.answering import answer_on
from tongbao.node.processes.child import Child
from tongbao.node.processes.core_link import CoreLink
from tongbao.node.processes.layout import CORE, socket_name
from tongbao.node.processes.orders import Ready
from tongbao.node.recall import open_index

UNLIMITED: Final = 2**31
"""Requests have passed the front's door, where their senders are counted."""


def run(child: Child) -> None:
    """Be the core until told to stop."""
    orders = child.orders
    folder, sockets = Path(orders.folder), Path(orders.sockets)
    settings = replace(orders.settings, rate_per_s=UNLIMITED)
    with (
        opened(folder, settings, orders.passphrase) as chain,
        open_index(folder, chain.id, settings) as index,
    ):
        engine = cast(Deciding, chain.engine)  # what `opened` gives decides here
        link = CoreLink(engine, chain.store, sockets)
        app = create_app(chain, settings, None, index)

        async def answer() -> None:
            loop, stop = asyncio.get_running_loop(), asyncio.Event()

            def told_to_stop() -> None:
                loop.call_soon_threadsafe(stop.set)

            child.on_stop = told_to_stop
            if child.is_told_to_stop:
                stop.set()
            path = sockets / socket_name(CORE, 0)
            path.unlink(missing_ok=True)
            with socket.socket(socket.AF_UNIX) as listening:
                listening.bind(str(path))
                listening.listen()
                child.ready(Ready(chain.id, chain.head().height, chain.modules))
                await answer_on(app, listening, stop)

        asyncio.run(answer())
        link.close()
        chain.close()
        child.stopped(chain.head().height)


if __name__ == "__main__":
    Child.main(run)
