"""The front's application: what is asked is answered here or where the table says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tongbao.console import Console
from tongbao.node.access.callers import Callers
from tongbao.node.access.guard import Guard
from tongbao.node.access.recorder import recording
from tongbao.node.api import MS, Api, Site
from tongbao.node.app import counted, endpoint_of, problem_of, sockets
from tongbao.node.door import Door
from tongbao.node.feed import Feed
from tongbao.node.operations import Operation, Process
from tongbao.node.problems import ProblemError
from tongbao.node.processes.relay import Relay
from tongbao.node.processes.remote_engine import RemoteEngine
from tongbao.node.recall import AnyRecall
from tongbao.node.settings import Settings
from tongbao.node.table import operations
from tongbao.sdk.beside import ChainBeside, Queue

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
TRANSACTION: Final = "transaction"
"""The operation that is told whether its transaction waits here."""

Relays = Mapping[Process, Relay]


class FrontApp:
    """What a front answers, and what it asks of others."""

    def __init__(
        self,
        chain: ChainBeside,
        engine: RemoteEngine,
        relays: Relays,
        settings: Settings,
        recall: AnyRecall | None,
        callers: Callers | None = None,
    ) -> None:
        """Serve a chain whose engine is elsewhere; `relays` ask those who answer reads.

        `callers` are whom it knows.
        """
        self._chain = chain
        self._engine = engine
        self._relays = relays
        self._settings = settings
        self._recall = recall
        self._callers = callers
        self.site = Site()
        self._guard = Guard(self.site)

    def app(self) -> Door:
        """The ASGI application."""
        found = operations(self._chain.registry)
        site = self.site
        routes: list[BaseRoute] = [
            Route(one.path, self._endpoint(one), methods=[one.method], name=one.name)
            for one in found
        ]
        read = self._relayed(Process.READER)
        routes += [
            Route(one.path, self._page(one.name), methods=["GET"], name=one.name)
            for one in Console(self._chain, None).routes()
        ]
        routes += sockets(site, self._guard)
        routes.append(Route("/{path:path}", read, methods=list(METHODS)))
        handlers: dict[Any, Any] = {ProblemError: problem_of}
        inner = Starlette(routes=routes, lifespan=self._lifespan, exception_handlers=handlers)
        inner.router.redirect_slashes = False
        return Door(inner, self._settings, site)

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        feed = Feed(self._chain, self._settings.heartbeat_ms / MS)
        known = self._callers
        self.site.api = Api(self._chain, feed, self._settings, {}, self._recall, callers=known)
        self.site.api.living = self._living
        try:
            async with recording(self.site.api):
                yield
        finally:
            self.site.stop()
            if self._recall is not None:
                self._recall.stop()

    def _living(self) -> dict[str, int]:
        readers = self._relays[Process.READER].living
        return {**self._engine.living, Process.READER.value: readers}

    def _endpoint(self, one: Operation) -> Callable[[Request], Awaitable[Response]]:
        if one.process is Process.FRONT:
            return endpoint_of(one, self.site, self._guard)
        run = self._guard.before(one.needs, self._relayed(one.process, one.name))
        return counted(one.name, run, self.site)

    def _page(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        run = self._guard.before_page(name, self._relayed(Process.READER))
        return counted(name, run, self.site)

    def _relayed(
        self, process: Process, name: str = ""
    ) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint that another process answers, at a height that this one has told already."""
        relay, engine = self._relays[process], self._engine

        async def endpoint(request: Request) -> Response:
            body = b"" if request.method in ("GET", "HEAD") else await self._body(request)
            waits = name == TRANSACTION and self._waits(request.path_params["id"])
            queue = Queue(waits, engine.waiting, engine.why_stopped)
            return await relay.ask(request, body, engine.height, queue)

        return endpoint

    async def _body(self, request: Request) -> bytes:
        """A body within its limits; what it should be, whoever answers looks at."""
        return await self.site.api.any_body(request)

    def _waits(self, transaction_id: str) -> bool:
        try:
            return self._engine.is_pending(bytes.fromhex(transaction_id))
        except ValueError:
            return False
