"""The front's application: transactions and health here, everything else as the core answers it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tongbao.console import Console
from tongbao.node.api import Api, Site
from tongbao.node.app import counted, endpoint_of, problem_of
from tongbao.node.door import Door
from tongbao.node.feed import Feed
from tongbao.node.problems import ProblemError
from tongbao.node.processes.front_chain import FrontChain
from tongbao.node.processes.relay import Relay
from tongbao.node.settings import Settings
from tongbao.node.table import operations
from tongbao.sdk.local import Chain

HERE: Final = frozenset({"submit", "live", "ready"})
"""Operations that need no state."""


def front_app(chain: FrontChain, relay: Relay, settings: Settings, site: Site) -> Door:
    """The ASGI application of a front."""
    whole = cast(Chain, chain)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        site.api = Api(whole, Feed(whole, settings.heartbeat_ms / 1000), settings, {})
        try:
            yield
        finally:
            site.stop()

    async def relayed(request: Request) -> Response:
        body = b"" if request.method in ("GET", "HEAD") else await request.body()
        return await relay.ask(request, body, site.api.feed.height)

    def run(one: Any) -> Callable[[Request], Awaitable[Response]]:
        return endpoint_of(one, site) if one.name in HERE else counted(one.name, relayed, site)

    found = operations(chain.registry)
    routes: list[BaseRoute] = [
        Route(one.path, run(one), methods=[one.method], name=one.name) for one in found
    ]
    routes += [
        Route(one.path, counted(one.name, relayed, site), methods=["GET"], name=one.name)
        for one in Console(whole, None).routes()
    ]
    every = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    routes.append(Route("/{path:path}", relayed, methods=every))
    handlers: dict[Any, Any] = {ProblemError: problem_of}
    inner = Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)
    inner.router.redirect_slashes = False
    return Door(inner, settings, site)
