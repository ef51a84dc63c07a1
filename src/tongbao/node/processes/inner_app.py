"""The application behind the front's door: whole requests in, answers out, nothing counted twice.

Who asks has passed the limits of the front. A request says at which height it must be answered, and
whether the transaction that it is about waits for its block: only the front knows that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tongbao.console import Console
from tongbao.node.api import MS, Api, Site
from tongbao.node.app import answer_of, errors_of, problem_of
from tongbao.node.feed import Feed
from tongbao.node.openapi import document
from tongbao.node.problems import ProblemError, response, unavailable
from tongbao.node.processes.answering import LEAST
from tongbao.node.processes.answering import QUEUE as QUEUE_OF
from tongbao.node.processes.recall_beside import RecallBeside
from tongbao.node.settings import Settings
from tongbao.node.table import operations
from tongbao.sdk.beside import QUEUE, ChainBeside, Queue
from tongbao.sdk.local import Chain
from tongbao.store.errors import StoreError

log = logging.getLogger("tongbao.node")

PATIENCE_S: Final = 0.5
"""How long the rows are waited for, which follow within 0.1 s unless the disk is full."""
LOOK_S: Final = 0.003
"""How often the rows are asked for their height while somebody waits for one."""


class LookingFeed(Feed):
    """The head of a chain that another process makes: looked at when somebody waits for it."""

    def __init__(self, chain: ChainBeside, heartbeat_s: float) -> None:
        """Look at the rows of a chain."""
        super().__init__(chain, heartbeat_s)
        self._beside = chain.beside

    def heard(self, height: int) -> None:
        """The front says that a block is durable."""
        self._beside.tell(height)

    async def reach(self, height: int, seconds: float) -> bool:
        """Wait until the rows have a height; False when that takes longer."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        until, patient_until = begun + seconds, begun + min(PATIENCE_S, seconds / 2)
        while self.look() < height:
            now = loop.time()
            if now >= until or self._closed:
                return False
            if now >= patient_until:
                patient_until = until
                await self._take_in()
            await asyncio.sleep(LOOK_S)
        return True

    async def _take_in(self) -> None:
        """The rows do not follow: blocks that are durable are read out of the log."""
        try:
            await asyncio.to_thread(self._beside.take_in)
        except (StoreError, LookupError) as error:
            log.warning("blocks can't be laid over the rows: %s", error)

    def look(self) -> int:
        """The height of the rows now."""
        self.height = max(self.height, self._beside.height)
        return self.height


def _feed_of(chain: Chain, heartbeat_s: float) -> Feed:
    if isinstance(chain, ChainBeside):
        return LookingFeed(chain, heartbeat_s)
    return Feed(chain, heartbeat_s)


def inner_app(chain: Chain, settings: Settings, recall: RecallBeside | None = None) -> ASGIApp:
    """The operations and pages of a chain, which another process may have open and write."""
    found = operations(chain.registry)
    console = Console(chain, None if recall is None else recall.index)
    site = Site()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        heartbeat_s = settings.heartbeat_ms / MS
        is_beside = isinstance(chain, ChainBeside)
        feed = _feed_of(chain, heartbeat_s)
        papers = document(chain.registry, found)
        site.api = Api(chain, feed, settings, papers, recall, at_once=is_beside)
        try:
            yield
        finally:
            site.stop()
            if recall is not None:
                await asyncio.to_thread(recall.stop)

    routes: list[BaseRoute] = [
        Route(one.path, answer_of(one, site), methods=[one.method], name=one.name) for one in found
    ]
    routes += console.routes()
    handlers: dict[Any, Any] = {ProblemError: problem_of, **errors_of(console)}
    inner = Starlette(routes=routes, lifespan=lifespan, exception_handlers=handlers)
    inner.router.redirect_slashes = False
    return _Told(inner, site, settings.wait_ms / MS)


class _Told:
    """Heeds what the front has said of a request."""

    def __init__(self, inner: ASGIApp, site: Site, wait_s: float) -> None:
        self._inner = inner
        self._site = site
        self._wait_s = wait_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            least, feed = scope.get(LEAST, -1), self._site.api.feed
            if isinstance(feed, LookingFeed):
                feed.heard(least)
            if least >= 0 and not await feed.reach(least, self._wait_s):
                late = f"what was told of block {least} can't be read yet"
                await response(unavailable(late))(scope, receive, send)
                return
            QUEUE.set(scope.get(QUEUE_OF, Queue()))  # in this request's task alone
        await self._inner(scope, receive, send)
