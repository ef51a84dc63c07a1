"""The application: the table of operations behind one door that guards, counts and tells."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Final

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from tongbao.console import Console
from tongbao.index.history import Index
from tongbao.kernel import jcs
from tongbao.node import problems, stream_submitting, streaming
from tongbao.node.access.callers import Callers
from tongbao.node.access.guard import Guard
from tongbao.node.access.needs import EVENTS, OPEN, Need
from tongbao.node.access.recorder import recording
from tongbao.node.api import Api, Site
from tongbao.node.door import Door
from tongbao.node.feed import Feed
from tongbao.node.openapi import document
from tongbao.node.operations import Operation, parameters
from tongbao.node.problems import ProblemError
from tongbao.node.recall import Recall
from tongbao.node.settings import Settings
from tongbao.node.table import operations
from tongbao.sdk.local import Chain

log = structlog.get_logger("tongbao.node")

Endpoint = Callable[[Request], Awaitable[Response]]
Talk = Callable[[Api, WebSocket], Awaitable[HTTPStatus]]

SOCKETS: Final[tuple[tuple[str, str, Need, Talk], ...]] = (
    (streaming.SOCKET_PATH, "events_socket", EVENTS, streaming.socket),
    (stream_submitting.SOCKET_PATH, "transactions_socket", OPEN, stream_submitting.socket),
)
"""Path, operation, who may begin it, and what is said over it."""


def create_app(
    chain: Chain,
    settings: Settings,
    site: Site | None = None,
    index: Index | None = None,
    callers: Callers | None = None,
) -> Door:
    """The ASGI application that serves an open chain; it feeds the index while it runs.

    `callers` are whom it knows. Closing chain and index is their owner's.
    """
    found = operations(chain.registry)
    console = Console(chain, index)
    parts = site or Site()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        feed = Feed(chain, settings.heartbeat_ms / 1000)
        recall = None if index is None else Recall(index, chain)
        papers = document(chain.registry, found)
        parts.api = Api(chain, feed, settings, papers, recall, callers=callers)
        try:
            async with recording(parts.api):
                yield
        finally:
            parts.stop()
            if recall is not None:
                await asyncio.to_thread(recall.stop)

    guard = Guard(parts)
    routes: list[BaseRoute] = [
        Route(one.path, endpoint_of(one, parts, guard), methods=[one.method], name=one.name)
        for one in found
    ]
    routes += [
        Route(one.path, _page(one, parts, guard), methods=["GET"], name=one.name)
        for one in console.routes()
    ]
    routes += sockets(parts, guard)
    handlers: dict[Any, Any] = {ProblemError: problem_of, **errors_of(console)}
    inner = Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)
    inner.router.redirect_slashes = False
    return Door(inner, settings, parts)


def endpoint_of(one: Operation, parts: Site, guard: Guard) -> Endpoint:
    """An operation as Starlette calls it, for those who may have its answer, counted."""
    return counted(one.name, guard.before(one.needs, answer_of(one, parts)), parts)


def _page(one: Route, parts: Site, guard: Guard) -> Endpoint:
    return counted(one.name, guard.before_page(one.name, one.endpoint), parts)


def answer_of(one: Operation, parts: Site) -> Endpoint:
    """An operation as Starlette calls it, for a process that does not count requests."""

    async def endpoint(request: Request) -> Response:
        answer = await one.run(parts.api, request, parameters(request, one.asks))
        if not isinstance(answer, Response):
            answer = Response(jcs.encode(answer), media_type=one.media_type)
        return _unless_known(request, answer) if one.is_lasting else answer

    return endpoint


def counted(name: str, run: Endpoint, parts: Site) -> Endpoint:
    """An endpoint whose requests are counted, timed and logged under a name."""

    async def endpoint(request: Request) -> Response:
        begun = time.monotonic()
        status = int(HTTPStatus.INTERNAL_SERVER_ERROR)
        try:
            answer = await run(request)
            status = answer.status_code
            return answer
        except ProblemError as error:
            status = int(error.problem.status)
            raise
        finally:
            _tell(parts.api, name, status, begun)

    return endpoint


def sockets(parts: Site, guard: Guard) -> list[BaseRoute]:
    """The routes of all WebSockets; each is counted and told as a request is."""

    def route(path: str, name: str, need: Need, run: Talk) -> BaseRoute:
        async def talk(websocket: WebSocket) -> None:
            begun = time.monotonic()
            status = int(HTTPStatus.INTERNAL_SERVER_ERROR)
            try:
                await guard.check(need, websocket)
                status = int(await run(parts.api, websocket))
            except ProblemError as error:
                status = int(error.problem.status)
                await websocket.send_denial_response(problems.response(error))
            finally:
                _tell(parts.api, name, status, begun)

        return WebSocketRoute(path, talk, name=name)

    return [route(*line) for line in SOCKETS]


def _tell(api: Api, name: str, status: int, begun: float) -> None:
    """Count a request, and log it: which operation, never who or what about."""
    seconds = time.monotonic() - begun
    api.metrics.requests.labels(name, status).inc()
    api.metrics.seconds.labels(name).observe(seconds)
    log.info("request", operation=name, status=status, ms=round(seconds * 1000, 1))


def _unless_known(request: Request, answer: Response) -> Response:
    """An answer that stays the same, or 304 for who has it already (RFC 9110, 13.1.2)."""
    tag = f'"{sha256(answer.body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    known = [part.strip() for part in request.headers.get("if-none-match", "").split(",")]
    if tag in known or "*" in known:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    answer.headers.update(headers)
    return answer


async def problem_of(request: Request, error: ProblemError) -> Response:
    """The answer to a request that an operation refuses."""
    return problems.response(error)


def errors_of(console: Console) -> dict[Any, Any]:
    """What answers to errors that no operation gives: a page to people, else a problem."""

    async def http_error(request: Request, error: HTTPException) -> Response:
        """What the router itself answers: no such path, no such method."""
        status = HTTPStatus(error.status_code)
        allowed = (error.headers or {}).get("Allow")
        headers = {"Allow": ", ".join(sorted(allowed.split(", ")))} if allowed else {}
        if console.wants(request):
            answer = console.error(request, status)
            answer.headers.update(headers)
            return answer
        detail = {
            HTTPStatus.NOT_FOUND: "no such path: /openapi.json lists all of them",
            HTTPStatus.METHOD_NOT_ALLOWED: "the path has other methods: see the header Allow",
        }.get(status, "")
        return problems.response(problems.problem(status, detail, headers))

    async def our_bug(request: Request, error: Exception) -> Response:
        """A bug of ours: the log has it, the caller learns only that it is one."""
        log.error("unexpected", kind=type(error).__name__)
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        if console.wants(request):
            return console.error(request, status)
        detail = "this is a bug of the node; its log has the details"
        return problems.response(problems.problem(status, detail))

    return {HTTPException: http_error, Exception: our_bug}
