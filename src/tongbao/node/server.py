"""Listening: one process that serves a chain until it is told to stop."""

from __future__ import annotations

import asyncio
import resource
import socket
import sys
from typing import Any, Final, cast

import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.config import STARTUP_FAILURE

from tongbao.index.history import Index
from tongbao.node.access.callers import Callers
from tongbao.node.access.handshakes import SafeListener, certified
from tongbao.node.access.tls import Contexts
from tongbao.node.api import Site
from tongbao.node.app import create_app
from tongbao.node.connection import RESERVED, guarded
from tongbao.node.door import Door
from tongbao.node.logs import configure_log
from tongbao.node.problems import response, unavailable
from tongbao.node.settings import Settings
from tongbao.sdk.local import Chain
from tongbao.services.serving.server import Server, listen

KEEP_ALIVE_S: Final = 30
BACKLOG: Final = 1024
FILES: Final = 100
"""What else a node has open."""
STREAMS_END: Final = 50
"""Hundredths of a second for streams to say goodbye; slow readers are cut off later."""
SOCKET_TEXT_BYTES: Final = 1_572_864
"""A message is one transaction: more than the largest that a chain's parameters allow."""


def listen_at(settings: Settings) -> socket.socket:
    """Take the address and port of a node. Raises ListenError."""
    return listen(settings.host, settings.port, BACKLOG)


def address_of(listening: socket.socket, settings: Settings | None = None) -> str:
    """The address as a person types it; with the settings of a node that speaks TLS, https."""
    host, port = listening.getsockname()[:2]
    scheme = "https" if settings is not None and settings.tls_certificate else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


class NodeServer(Server):
    """A server whose streams end when it stops, so that nobody has to be cut off."""

    def __init__(self, config: uvicorn.Config, site: Site, settings: Settings) -> None:
        """Serve a site. Raises SettingsError where a certificate's files are not good."""
        super().__init__(config)
        self._site = site
        self._contexts = Contexts(settings) if settings.tls_certificate else None
        self._seconds = settings.request_ms / 1000
        self._limit = settings.connections + RESERVED

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Take connections: as uvicorn does, or behind TLS."""
        if self._contexts is None:
            await super().startup(sockets)
            return
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        found = [self._listener(one, self._contexts) for one in sockets or ()]
        self.servers = cast(list[asyncio.Server], found)  # what uvicorn closes, and waits for
        for one in found:
            one.start()
        self.started = True

    def _listener(self, listening: socket.socket, contexts: Contexts) -> SafeListener:
        def protocol() -> asyncio.Protocol:
            made: Any = self.config.http_protocol_class
            found: asyncio.Protocol = made(
                config=self.config,
                server_state=self.server_state,
                app_state=self.lifespan.state,
                _loop=asyncio.get_running_loop(),
            )
            return found

        connections = self.server_state.connections
        return SafeListener(listening, protocol, contexts, self._seconds, self._limit, connections)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End streams, take no more connections, then wait for requests under way."""
        self._site.stop()
        for _ in range(STREAMS_END):
            if not self._site.api.streams:
                break
            await asyncio.sleep(0.01)
        await super().shutdown(sockets)


async def _crowded(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer for a node that has all the connections that it may have."""
    refused = unavailable("the node has all the connections that it takes: see connections")
    refused.headers["Connection"] = "close"
    await response(refused)(scope, receive, send)


def allow_connections(settings: Settings) -> None:
    """Let this process have its connections open, as far as the system allows."""
    count = settings.connections + RESERVED + FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def protocol_of(settings: Settings, chain: str, crowded: Door) -> type[asyncio.Protocol]:
    """What answers on a connection to a node of `chain`, after TLS where it has a certificate."""
    protocol = guarded(settings, crowded)
    return certified(protocol, chain) if settings.tls_certificate else protocol


def configuration_of(app: Door, settings: Settings, site: Site, chain: str) -> uvicorn.Config:
    """How an application is served."""
    return uvicorn.Config(
        app,
        http=protocol_of(settings, chain, Door(_crowded, settings, site)),
        ws="websockets-sansio",
        ws_max_size=SOCKET_TEXT_BYTES,
        ws_ping_interval=settings.heartbeat_ms / 1000,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=max(1, settings.grace_ms // 1000),
        server_header=False,
        proxy_headers=False,
        log_config=None,
        access_log=False,
    )


def server_of(
    chain: Chain, settings: Settings, index: Index | None = None, callers: Callers | None = None
) -> NodeServer:
    """The server of a chain; it stops at SIGINT and SIGTERM, or by `should_exit`.

    `callers` are whom it knows. Raises SettingsError.
    """
    configure_log(settings)
    allow_connections(settings)
    site = Site()
    app = create_app(chain, settings, site, index, callers)
    return NodeServer(configuration_of(app, settings, site, chain.id), site, settings)


def serve(server: uvicorn.Server, listening: socket.socket) -> None:
    """Serve until told to stop; requests under way end first, streams are closed."""
    server.run(sockets=[listening])
