"""Listening: one process that serves a chain until it is told to stop."""

from __future__ import annotations

import asyncio
import resource
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from starlette.types import Receive, Scope, Send

from tongbao.index.history import Index
from tongbao.node.api import Site
from tongbao.node.app import create_app
from tongbao.node.connection import RESERVED, guarded
from tongbao.node.door import Door
from tongbao.node.logs import configure_log
from tongbao.node.problems import response, unavailable
from tongbao.node.settings import Settings
from tongbao.sdk.local import Chain

KEEP_ALIVE_S: Final = 30
FILES: Final = 100
"""What else a node has open."""
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
STREAMS_END: Final = 50
"""Hundredths of a second for streams to say goodbye; slow readers are cut off later."""
SOCKET_TEXT_BYTES: Final = 1_572_864
"""A message is one transaction: more than the largest that a chain's parameters allow."""


class ListenError(Exception):
    """The node can't listen where it was told to; the text says why."""

    exit_code = 75
    advice = "choose another with --port, 0 for a free one"


def listen(settings: Settings) -> socket.socket:
    """Take the address and port. Raises ListenError."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((settings.host, settings.port))
        found.listen(1024)
    except (OSError, OverflowError) as error:
        found.close()
        raise ListenError(
            f"can't listen on {settings.host} port {settings.port}: {error.args[-1]}"
        ) from error
    return found


def address_of(listening: socket.socket) -> str:
    """The address as a person types it."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class NodeServer(uvicorn.Server):
    """A server whose streams end when it stops, so that nobody has to be cut off."""

    def __init__(self, config: uvicorn.Config, site: Site) -> None:
        """Serve a site."""
        super().__init__(config)
        self._site = site

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at SIGINT and SIGTERM, once: the chain is still to be closed after that."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

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


def configuration_of(app: Door, settings: Settings, site: Site) -> uvicorn.Config:
    """How an application is served."""
    return uvicorn.Config(
        app,
        http=guarded(settings, Door(_crowded, settings, site)),
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


def server_of(chain: Chain, settings: Settings, index: Index | None = None) -> NodeServer:
    """The server of a chain; it stops at SIGINT and SIGTERM, or by `should_exit`."""
    configure_log(settings)
    allow_connections(settings)
    site = Site()
    return NodeServer(
        configuration_of(create_app(chain, settings, site, index), settings, site), site
    )


def serve(server: uvicorn.Server, listening: socket.socket) -> None:
    """Serve until told to stop; requests under way end first, streams are closed."""
    server.run(sockets=[listening])
