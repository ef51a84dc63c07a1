"""A reader: answers whatever needs rows, blocks or history and no more, out of snapshots."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tongbao.node.processes.answering import answer_until_told
from tongbao.node.processes.child import Child
from tongbao.node.processes.inner_app import inner_app
from tongbao.node.processes.layout import CORE, socket_name
from tongbao.node.processes.recall_beside import opened_beside, recalled_beside


def run(child: Child) -> None:
    """Be a reader until told to stop."""
    orders = child.orders
    sockets, settings = Path(orders.sockets), orders.settings
    with opened_beside(child) as chain:
        recall = recalled_beside(child, chain.id)
        core = sockets / socket_name(CORE, 0)
        app = inner_app(chain, settings, recall, core)
        asyncio.run(answer_until_told(app, child, child.ready))
    child.stopped()


if __name__ == "__main__":
    Child.main(run)
