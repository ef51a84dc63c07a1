"""The front: has the sockets, takes transactions, and hands what needs state to others."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from tongbao.engines.memory import keep_what_is_loaded
from tongbao.kernel import Registry
from tongbao.kernel.genesis import chain_id
from tongbao.node.access.api_keys import FILE as KEY_FILE
from tongbao.node.access.callers import Callers
from tongbao.node.access.recorder import open_recorder
from tongbao.node.api import MS, Site
from tongbao.node.operations import Process
from tongbao.node.processes.child import Child
from tongbao.node.processes.front_app import FrontApp
from tongbao.node.processes.layout import VERIFIER, names_of
from tongbao.node.processes.recall_beside import opened_beside, recalled_beside
from tongbao.node.processes.relay import Relay
from tongbao.node.processes.remote_engine import RemoteEngine
from tongbao.node.server import NodeServer, allow_connections, configuration_of
from tongbao.node.settings import Settings
from tongbao.sdk.beside import ChainBeside
from tongbao.sdk.folder import Folder


class FrontServer(NodeServer):
    """A server that its supervisor stops, not a signal."""

    def __init__(
        self,
        config: uvicorn.Config,
        site: Site,
        settings: Settings,
        begun: Callable[[], None],
    ) -> None:
        """Serve a site; `begun` is called once connections are taken."""
        super().__init__(config, site, settings)
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
    settings, folder = orders.settings, Path(orders.folder)
    allow_connections(settings)

    async def serve() -> None:
        engines: list[RemoteEngine] = []

        def submitting(registry: Registry) -> RemoteEngine:
            chain = chain_id(Folder(folder).genesis())
            engines.append(RemoteEngine(registry, chain, settings.queue_transactions))
            return engines[0]

        with opened_beside(child, submitting) as chain:
            server = await _server(child, chain, engines[0])
            if not child.is_told_to_stop:
                keep_what_is_loaded()
                await server.serve(sockets=[listening])

    asyncio.run(serve())
    child.stopped()


async def _server(child: Child, chain: ChainBeside, engine: RemoteEngine) -> FrontServer:
    """The server of a front that is connected to the others."""
    orders = child.orders
    sockets, settings = Path(orders.sockets), orders.settings
    engine.start(sockets, orders.counts[VERIFIER])
    relays = {
        process: Relay(
            [sockets / name for name in names_of(process.value, orders.counts)],
            settings.wait_ms / MS,
        )
        for process in (Process.CORE, Process.READER)
    }
    for relay in relays.values():
        relay.start()
    await engine.begun.wait()
    recall = recalled_beside(child, chain.id)
    folder = Path(orders.folder)
    recorder = open_recorder(folder, settings)
    keys = folder / KEY_FILE
    callers = Callers(settings, chain.id, keys, orders.local_token, recorder=recorder)
    front = FrontApp(chain, engine, relays, settings, recall, callers)
    config = configuration_of(front.app(), settings, front.site, chain.id)
    server = FrontServer(config, front.site, settings, child.ready)

    def stop() -> None:
        server.should_exit = True

    child.on_stop = stop
    return server


if __name__ == "__main__":
    Child.main(run)
