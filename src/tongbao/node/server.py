"""Listening: one process that serves a chain until it is told to stop."""

from __future__ import annotations

import logging
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog
import uvicorn

from tongbao.index import Index
from tongbao.node.app import Site, create_app
from tongbao.node.connection import guarded
from tongbao.node.settings import Settings
from tongbao.sdk.local import Chain

KEEP_ALIVE_S: Final = 30
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
SOCKET_TEXT_BYTES: Final = 1_024
"""A client says nothing on a stream."""


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
        """Take no more connections, end streams, then wait for requests under way."""
        self._site.stop()
        await super().shutdown(sockets)


def server_of(chain: Chain, settings: Settings, index: Index | None = None) -> NodeServer:
    """The server of a chain; it stops at SIGINT and SIGTERM, or by `should_exit`."""
    configure_log(settings)
    site = Site()
    return NodeServer(
        uvicorn.Config(
            create_app(chain, settings, site, index),
            http=guarded(settings.header_bytes, settings.request_ms / 1000),
            ws="websockets-sansio",
            ws_max_size=SOCKET_TEXT_BYTES,
            limit_concurrency=settings.connections,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=max(1, settings.grace_ms // 1000),
            server_header=False,
            proxy_headers=False,
            log_config=None,
            access_log=False,
        ),
        site,
    )


def configure_log(settings: Settings) -> None:
    """One line for each thing worth knowing, on standard error; never a person, never content."""
    level = getattr(logging, settings.log_level.upper())
    render: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_logger_name,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                render,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


def serve(server: uvicorn.Server, listening: socket.socket) -> None:
    """Serve until told to stop; requests under way end first, streams are closed."""
    server.run(sockets=[listening])
