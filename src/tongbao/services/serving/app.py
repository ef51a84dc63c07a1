"""The application of a service: its routes behind one door that names, times and tells requests.

Errors are problem documents; a bug of ours says only that it is one. A line of the log has the
route's name, status and time, and nothing that a caller sent.
"""

from __future__ import annotations

import errno
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from typing import Any, Final

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tongbao.services.serving.problems import Problem
from tongbao.services.serving.signed import HasKey

log = structlog.get_logger("tongbao.services")

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]

FULL: Final = (errno.ENOSPC, errno.EDQUOT)
REQUEST_ID: Final = b"tongbao-request-id"
ALWAYS: Final = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
"""What an answer has, unless it has its own."""


def service_app(
    routes: Sequence[BaseRoute],
    lifespan: Lifespan | None = None,
    *,
    has_key: HasKey | None = None,
) -> Starlette:
    """The application of these routes; `has_key` asks the ledger whether an account has a key.

    Without it requests of accounts are refused: keys alone ask. Handlers may raise Problem;
    an OSError that means a full disk is answered by 507.
    """
    handlers: dict[Any, Any] = {
        Problem: _problem,
        HTTPException: _http_error,
        OSError: _disk_error,
        Exception: _our_bug,
    }
    app = Starlette(routes=list(routes), lifespan=lifespan, exception_handlers=handlers)
    app.router.redirect_slashes = False
    app.state.has_key = has_key
    app.state.signatures = None
    return app


class Told:
    """ASGI middleware around an application: an id and headers for answers, a line for requests."""

    def __init__(self, inner: ASGIApp) -> None:
        """Go around an application."""
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, and tell how it ended."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        name = secrets.token_hex(8)
        begun = time.monotonic()
        status = 0

        async def send_more(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                given = message.get("headers", [])
                names = {header for header, _ in given}
                more = [pair for pair in ALWAYS if pair[0] not in names]
                more.append((REQUEST_ID, name.encode()))
                message = {**message, "headers": [*given, *more]}
            await send(message)

        try:
            await self._inner(scope, receive, send_more)
        finally:
            took = round((time.monotonic() - begun) * 1000, 1)
            log.info("request", operation=_operation(scope), status=status, ms=took, request=name)


def _operation(scope: Scope) -> str:
    endpoint = scope.get("endpoint")
    return str(getattr(endpoint, "__name__", "none"))


async def _problem(request: Request, error: Problem) -> Response:
    return error.response()


async def _http_error(request: Request, error: HTTPException) -> Response:
    """What the router itself answers: no such path, no such method."""
    detail = {
        HTTPStatus.NOT_FOUND: "no such path: see docs/data-services.md",
        HTTPStatus.METHOD_NOT_ALLOWED: "the path has other methods: see the header Allow",
    }.get(HTTPStatus(error.status_code), "")
    return Problem(error.status_code, detail, headers=dict(error.headers or {})).response()


async def _disk_error(request: Request, error: OSError) -> Response:
    if error.errno not in FULL:
        return await _our_bug(request, error)
    log.error("the disk is full")
    return Problem(
        HTTPStatus.INSUFFICIENT_STORAGE,
        "the disk is full: nothing was done; try again later",
        headers={"Retry-After": "30"},
    ).response()


async def _our_bug(request: Request, error: Exception) -> Response:
    log.error("unexpected", exc_info=error)
    detail = "this is a bug or a broken disk of the service; its log has the details"
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail).response()
