"""The application: the table of operations behind one door that guards, counts and tells."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from tongbao.console import Console
from tongbao.index import Index
from tongbao.kernel import jcs
from tongbao.node import problems, streaming
from tongbao.node.api import Api
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


class Site:
    """What is served while the event loop runs: there is no `api` before."""

    api: Api

    def stop(self) -> None:
        """Let streams end and `/readyz` say so; what is under way goes on to its end."""
        self.api.stopping.set()
        self.api.feed.close()


def create_app(
    chain: Chain, settings: Settings, site: Site | None = None, index: Index | None = None
) -> Door:
    """The ASGI application that serves an open chain; it feeds the index while it runs.

    Closing chain and index is their owner's.
    """
    found = operations(chain.registry)
    console = Console(chain, index)
    parts = site or Site()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        recall = None if index is None else Recall(index, chain)
        parts.api = Api(chain, Feed(chain), settings, recall)
        try:
            yield
        finally:
            parts.stop()
            if recall is not None:
                await asyncio.to_thread(recall.stop)

    openapi = msgspec.json.encode(document(chain.registry, found))

    async def show_document(request: Request) -> Response:
        return Response(openapi, media_type="application/openapi+json")

    async def follow(websocket: WebSocket) -> None:
        await streaming.socket(parts.api, websocket)

    routes: list[BaseRoute] = [
        Route(one.path, _endpoint(one, parts), methods=[one.method], name=one.name) for one in found
    ]
    routes += [
        Route(one.path, _counted(one.name, one.endpoint, parts), methods=["GET"], name=one.name)
        for one in console.routes()
    ]
    routes += [
        Route("/openapi.json", show_document, name="openapi"),
        WebSocketRoute("/v1/events/socket", follow, name="events_socket"),
    ]
    handlers: dict[Any, Any] = {ProblemError: _problem, **_errors(console)}
    inner = Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)
    inner.router.redirect_slashes = False
    return Door(inner, settings)


def _endpoint(one: Operation, parts: Site) -> Endpoint:
    """An operation as Starlette calls it."""

    async def endpoint(request: Request) -> Response:
        answer = await one.run(parts.api, request, parameters(request, one.asks))
        if isinstance(answer, Response):
            return answer
        return Response(jcs.encode(answer), media_type=one.media_type)

    return _counted(one.name, endpoint, parts)


def _counted(name: str, run: Endpoint, parts: Site) -> Endpoint:
    """An endpoint whose requests are counted, timed and logged under a name."""

    async def endpoint(request: Request) -> Response:
        metrics = parts.api.metrics
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
            seconds = time.monotonic() - begun
            metrics.requests.labels(name, status).inc()
            metrics.seconds.labels(name).observe(seconds)
            log.info("request", operation=name, status=status, ms=round(seconds * 1000, 1))

    return endpoint


async def _problem(request: Request, error: ProblemError) -> Response:
    return problems.response(error)


def _errors(console: Console) -> dict[Any, Any]:
    """What answers to errors that no operation gives: a page to people, else a problem."""

    async def http_error(request: Request, error: HTTPException) -> Response:
        """What the router itself answers: no such path, no such method."""
        status = HTTPStatus(error.status_code)
        headers = dict(error.headers or {})
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
