"""The core: opens the chain, decides and commits; answers proofs and dry runs between blocks."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

from tongbao.engines.interface import Deciding
from tongbao.node.opening import opened
from tongbao.node.processes.answering import answer_until_told
from tongbao.node.processes.child import Child
from tongbao.node.processes.core_link import CoreLink
from tongbao.node.processes.inner_app import inner_app
from tongbao.node.processes.orders import Ready


def run(child: Child) -> None:
    """Be the core until told to stop."""
    orders = child.orders
    folder, sockets = Path(orders.folder), Path(orders.sockets)
    with opened(folder, orders.settings, orders.passphrase) as chain:
        engine = cast(Deciding, chain.engine)  # what `opened` gives decides here
        link = CoreLink(engine, chain.store, sockets)
        app = inner_app(chain, orders.settings)

        def begun() -> None:
            child.ready(Ready(chain.id, chain.head().height, chain.modules))

        asyncio.run(answer_until_told(app, child, begun))
        link.close()
        chain.close()
        child.stopped(chain.head().height)


if __name__ == "__main__":
    Child.main(run)
