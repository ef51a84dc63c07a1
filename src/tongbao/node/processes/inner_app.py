"""The application behind the front's door: whole requests in, answers out, nothing counted twice.

Who asks has passed the limits of the front. A request says at which height it must be answered, and
whether the transaction that it is about waits for its block: only the front knows that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
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
from tongbao.node.processes.core_prover import CoreProver
from tongbao.node.processes.recall_beside import RecallBeside
from tongbao.node.processes.relay import Relay
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
        self._waiting = 0
        self._looking: asyncio.Task[None] | None = None

    def heard(self, height: int) -> None:
        """The front says that a block is durable."""
        self._beside.tell(height)

    async def reach(self, height: int, seconds: float) -> bool:
        """Wait until the rows have a height; False when that takes longer."""
        if self.look() >= height:
            return True
        self._waiting += 1
        if self._looking is None:
            self._looking = asyncio.create_task(self._look_on())
        patience = min(PATIENCE_S, seconds / 2)
        try:
            if await super().reach(height, patience):
                return True
            await self._take_in()
            return await super().reach(height, seconds - patience)
        finally:
            self._waiting -= 1

    async def _look_on(self) -> None:
        """Look as long as anybody waits: one for all of them."""
        while self._waiting and not self._closed:
            await asyncio.sleep(LOOK_S)
            self.look()
        self._looking = None

    async def _take_in(self) -> None:
        """The rows do not follow: blocks that are durable are read out of the log."""
        try:
            await asyncio.to_thread(self._beside.take_in)
        except (StoreError, LookupError) as error:
            log.warning("blocks can't be laid over the rows: %s", error)

    def look(self) -> int:
        """The height of the rows now."""
        height = self._beside.height
        if height > self.height:
            self._move(height)
        return self.height


def _feed_of(chain: Chain, heartbeat_s: float) -> Feed:
    if isinstance(chain, ChainBeside):
        return LookingFeed(chain, heartbeat_s)
    return Feed(chain, heartbeat_s)


@asynccontextmanager
async def _proving(chain: Chain, core: Path | None, wait_s: float) -> AsyncIterator[None]:
    """Where the chain is another process's, let the core prove what is asked of it here."""
    if core is None or not isinstance(chain, ChainBeside):
        yield
        return
    relay = Relay((core,), wait_s)
    relay.start()
    chain.prove_by(CoreProver(relay, asyncio.get_running_loop()))
    try:
        yield
    finally:
        await relay.close()


def inner_app(
    chain: Chain,
    settings: Settings,
    recall: RecallBeside | None = None,
    core: Path | None = None,
) -> ASGIApp:
    """The operations and pages of a chain, which another process may have open and write.

    `core` is where that one proves what only it can.
    """
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
            async with _proving(chain, core, settings.wait_ms / MS):
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
