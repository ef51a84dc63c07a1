"""What every request passes before any operation: whose host and origin it names, what it gets."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Final, TypeAlias

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tongbao.node.access.account_keys import confirm
from tongbao.node.access.callers import CALLER
from tongbao.node.api import Site
from tongbao.node.operations import HEALTH
from tongbao.node.problems import ProblemError, problem, response
from tongbao.node.settings import Settings

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
ALWAYS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-None-Match, Last-Event-ID",
    "Access-Control-Max-Age": "600",
}
HOST: Final = re.compile(r"([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")


POLICY: Final = b"cross-origin-resource-policy"

RawHeaders: TypeAlias = list[tuple[bytes, bytes]]


def raw(headers: dict[str, str]) -> RawHeaders:
    """Headers as they go over the wire."""
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]


class Door:
    """ASGI middleware around the whole application."""

    def __init__(self, inner: ASGIApp, settings: Settings, site: Site) -> None:
        """Guard an application."""
        self._site = site
        self._inner = inner
        self._hosts = frozenset(host.lower() for host in settings.allowed_hosts)
        self._origins = frozenset(settings.allowed_origins)
        self._always = raw(ALWAYS | ({"Vary": "Origin"} if self._origins else {}))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] == "lifespan":
            await self._inner(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        refused = self._refusal(scope, headers, origin) or await self._unknown(scope)
        extra = self._extra(scope, headers, origin)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message.get("headers", [])
                names = {name for name, _ in given}
                added = [pair for pair in extra if pair[0] not in names]
                message = {**message, "headers": [*given, *added]}
            await send(message)

        if refused is not None:
            self._site.api.metrics.refused.labels(refused.problem.status).inc()
            await response(refused)(scope, receive, send_with_headers)
        elif origin is not None and self._is_preflight(scope, headers):
            await Response(status_code=HTTPStatus.NO_CONTENT)(scope, receive, send_with_headers)
        else:
            await self._inner(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope, headers: Headers, origin: str | None) -> ProblemError | None:
        """Why a request is not let through, if so."""
        host = headers.get("host", "").lower()
        if len(headers.getlist("host")) > 1:
            return problem(HTTPStatus.BAD_REQUEST, "a request has one header Host")
        found = HOST.fullmatch(host)
        if found is None or not self._hosts & {"*", found[1]}:
            return problem(
                HTTPStatus.MISDIRECTED_REQUEST,
                "this node does not answer for that host: see the setting allowed_hosts",
            )
        writes = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        if writes and origin is not None and not self._is_ours(origin, host):
            return problem(
                HTTPStatus.FORBIDDEN,
                "pages of that origin may not send here: see the setting allowed_origins",
            )
        return None

    async def _unknown(self, scope: Scope) -> ProblemError | None:
        """Find out who calls, and count the request; why it is not let through, if so."""
        if scope["path"] in HEALTH:
            return None
        api = self._site.api
        wrong: ProblemError | None = None
        try:
            caller = api.callers.of(scope)
            scope[CALLER] = caller
            await confirm(api, caller)
        except ProblemError as error:
            scope[CALLER], wrong = None, error
        try:
            api.charge(scope)
        except ProblemError as error:
            return error
        return wrong

    def _is_ours(self, origin: str, host: str) -> bool:
        same = {f"http://{host}", f"https://{host}"}  # a proxy may have taken TLS off
        return origin.lower() in same or origin in self._origins

    def _is_preflight(self, scope: Scope, headers: Headers) -> bool:
        return bool(
            scope["type"] == "http"
            and scope["method"] == "OPTIONS"
            and "access-control-request-method" in headers
        )

    def _extra(self, scope: Scope, headers: Headers, origin: str | None) -> RawHeaders:
        """The headers that an answer gets here, unless it has its own."""
        if origin is None or origin not in self._origins:
            return self._always
        found = {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Expose-Headers": "ETag, Retry-After",
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        if self._is_preflight(scope, headers):
            found |= PREFLIGHT
        return [*raw(found), *(pair for pair in self._always if pair[0] != POLICY)]
