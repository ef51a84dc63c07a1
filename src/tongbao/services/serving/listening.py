"""Listen, and serve until told to stop: on this machine alone, or with TLS for others."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import structlog
import uvicorn
from starlette.applications import Starlette

from tongbao.sdk.request_checker import RequestChecker
from tongbao.services.serving.app import Told
from tongbao.services.serving.connection import Guarded
from tongbao.services.serving.server import Server, listen
from tongbao.services.serving.signed import Signatures
from tongbao.services.serving.tls import BadCertificate, Tls, said, server_context

log = structlog.get_logger("tongbao.services")

CONNECTIONS: Final = 500
"""More at once are answered 503."""
BACKLOG: Final = 256
KEEP_ALIVE_S: Final = 30
GRACE_S: Final = 10
"""How long requests under way may take after the service was told to stop."""
LOOK_S: Final = 10.0
"""How often it is looked whether a certificate was renewed."""
WILDCARDS: Final = ("0.0.0.0", "::")  # noqa: S104


class InTheClear(Exception):
    """The service would talk to other machines without TLS."""

    exit_code = 78
    advice = "give --tls-certificate and --tls-key; or --behind-tls-proxy, if one takes TLS off"


class NoOrigin(Exception):
    """A service on every address of a machine, of which nobody knows how it is called."""

    exit_code = 78
    advice = "say how others call it: --origin https://NAME"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def url_of(listening: socket.socket, tls: Tls | None) -> str:
    """The address of a service as it is called."""
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if tls else 'http'}://{shown}:{port}"


def run_service(
    app: Starlette,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    tls: Tls | None = None,
    ready: Callable[[str], None] | None = None,
    origin: str | None = None,
    behind_tls_proxy: bool = False,
    nonces: Path | None = None,
    now_ms: Callable[[], int] | None = None,
    stopping: Callable[[Callable[[], None]], None] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM; requests under way end first.

    `ready` is told the address once it is taken: connections made from then on are answered.
    `origin` is how others call the service (scheme, host and unusual port), where that is not its
    address; `nonces` the file in which used ones are kept; `stopping` is given a function that
    stops the service, for who runs it in a thread. Raises ListenError, InTheClear, NoOrigin,
    BadCertificate.
    """
    if not (is_loopback(host) or tls or behind_tls_proxy):
        raise InTheClear(f"{host} can be reached from other machines, and there is no TLS")
    if host in WILDCARDS and origin is None:
        raise NoOrigin(f"{host} is every address: requests are signed for one name")
    context = None if tls is None else server_context(tls.certificate, tls.key)
    with listen(host, port, BACKLOG) as listening:
        url = url_of(listening, tls)
        checker = RequestChecker(
            origin or url, keep=nonces, **({} if now_ms is None else {"now_ms": now_ms})
        )
        app.state.signatures = Signatures(checker, app.state.has_key)
        app.state.origin = origin or url
        server = Server(_configuration(app, context))
        if stopping is not None:
            stopping(lambda: setattr(server, "should_exit", True))
        with server.capture_signals():
            if ready is not None:
                ready(url)
            asyncio.run(_serve(server, listening, context, tls))


async def _serve(
    server: uvicorn.Server,
    listening: socket.socket,
    context: ssl.SSLContext | None,
    tls: Tls | None,
) -> None:
    async with _renewing(context, tls):
        await server.serve(sockets=[listening])


def _configuration(app: Starlette, context: ssl.SSLContext | None) -> uvicorn.Config:
    return uvicorn.Config(
        Told(app),
        http=Guarded,
        ws="none",
        lifespan="on",
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
        server_header=False,
        proxy_headers=False,
        log_config=None,
        access_log=False,
        ssl_context_factory=None if context is None else (lambda _config, _usual: context),
    )


@asynccontextmanager
async def _renewing(context: ssl.SSLContext | None, tls: Tls | None) -> AsyncIterator[None]:
    """Show a new certificate once its files are there, from the next connection on."""
    if context is None or tls is None:
        yield
        return
    task = asyncio.create_task(_renew(context, tls))
    try:
        yield
    finally:
        task.cancel()


async def _renew(context: ssl.SSLContext, tls: Tls) -> None:
    stamp = tls.stamp()
    while True:
        await asyncio.sleep(LOOK_S)
        found = tls.stamp()
        if found == stamp:
            continue
        try:
            server_context(tls.certificate, tls.key)  # both, and of each other, before either
            context.load_cert_chain(tls.certificate, tls.key)
        except (BadCertificate, OSError) as error:
            why = str(error) if isinstance(error, BadCertificate) else said(error)
            log.error("the certificate before goes on", why=why)
            continue
        stamp = found
        log.info("a new certificate is shown")
