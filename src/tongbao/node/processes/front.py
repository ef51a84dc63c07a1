"""The front: has the sockets, takes transactions, and hands what needs state to others."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from tongbao.engines.memory import keep_what_is_loaded
from tongbao.kernel.genesis import chain_id
from tongbao.node.api import Site
from tongbao.node.processes.child import Child
from tongbao.node.processes.core import SOCKET
from tongbao.node.processes.front_app import front_app
from tongbao.node.processes.front_chain import FrontChain
from tongbao.node.processes.layout import VERIFIER
from tongbao.node.processes.relay import Relay
from tongbao.node.processes.remote_engine import RemoteEngine
from tongbao.node.server import NodeServer, allow_connections, configuration_of
from tongbao.sdk.announced import registry_of
from tongbao.sdk.folder import Folder


class FrontServer(NodeServer):
    """A server that its supervisor stops, not a signal."""

    def __init__(self, config: uvicorn.Config, site: Site, begun: Callable[[], None]) -> None:
        """Serve a site; `begun` is called once connections are taken."""
        super().__init__(config, site)
        self._begun = begun

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take connections, and tell."""
        await super().startup(sockets)
        self._begun()


def run(child: Child) -> None:
    """Be the front until told to stop."""
    orders = child.orders
    listening = socket.socket(fileno=child.descriptors[0])
    settings, sockets = orders.settings, Path(orders.sockets)
    chain_of = chain_id(Folder(Path(orders.folder)).genesis())
    registry = registry_of(orders.modules)
    engine = RemoteEngine(registry, chain_of, settings.queue_transactions)

    allow_connections(settings)

    async def serve() -> None:
        engine.start(sockets, orders.counts[VERIFIER])
        relay = Relay([sockets / SOCKET], settings.wait_ms / 1000)
        relay.start()
        await engine.begun.wait()
        site = Site()
        app = front_app(FrontChain(engine, registry, chain_of), relay, settings, site)
        server = FrontServer(configuration_of(app, settings, site), site, child.ready)

        def stop() -> None:
            server.should_exit = True

        child.on_stop = stop
        if child.is_told_to_stop:
            return
        keep_what_is_loaded()
        await server.serve(sockets=[listening])
        await relay.close()
        await engine.stop()

    asyncio.run(serve())
    child.stopped()


if __name__ == "__main__":
    Child.main(run)
