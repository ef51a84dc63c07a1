"""The program: serves the panel's interface, follows the chain, and votes where it is told to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.metadata import version
from typing import Final

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tongbao.kernel import InvalidTransaction, jcs
from tongbao.sdk.errors import Gone, NodeError, Unreachable
from tongbao.sdk.keystore_errors import KeystoreError
from tongbao.sdk.place import END_OF_BLOCK, Place
from tongbao.sdk.request_checker import Asked
from tongbao.sdk.signed_requests import account_has_key
from tongbao.services.data_panel.judging import sweep_judged
from tongbao.services.data_panel.panel import Panel
from tongbao.services.serving.app import service_app
from tongbao.services.serving.bodies import sweep
from tongbao.services.serving.problems import not_found
from tongbao.services.serving.signed import signed_file

log = structlog.get_logger("tongbao.services")

SERVICE: Final = "tongbao-data-panel"
JSON: Final = "application/json"
PAUSE_S: Final = 2.0
"""How often open cases are looked at when nothing happens: a vote may fall due."""
ORDER: Final = 40
PASSES: Final = (InvalidTransaction, KeystoreError, NodeError, OSError)
"""What is tried again later, as Unreachable is: a thread that ended would vote no more."""


def panel_app(panel: Panel, *, votes: bool) -> Starlette:
    """The application; while it serves, it follows the chain, and votes by itself if it `votes`."""

    async def about(request: Request) -> Response:
        told = {
            "account": panel.account,
            "chain": panel.chain.id,
            "service": SERVICE,
            "version": version("tongbao"),
        }
        return Response(jcs.encode(told), media_type=JSON)

    async def key(request: Request) -> Response:
        statement = await asyncio.to_thread(panel.statement)
        return Response(statement, media_type="application/jose")

    async def evidence(request: Request) -> Response:
        order = request.path_params["order"]
        if len(order) != ORDER or set(order) - set("0123456789abcdef"):
            raise not_found()
        buyer = await asyncio.to_thread(panel.buyer_of, order)
        if buyer is None:
            raise not_found()

        def may(asked: Asked) -> None:
            if asked.account != buyer:
                raise not_found()

        most = await asyncio.to_thread(panel.most_bytes, order)
        async with signed_file(request, most, panel.folder.incoming, may) as (_, spooled):
            await asyncio.to_thread(panel.take, order, spooled.path)
        return Response(jcs.encode({"order": order}), media_type=JSON)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        with working(panel, votes=votes):
            yield

    def has_key(account: str, kid: str) -> bool:
        return account_has_key(panel.chain, account, kid)

    routes = [
        Route("/v1", about),
        Route("/v1/key", key),
        Route("/v1/evidence/{order}", evidence, methods=["PUT"]),
    ]
    sweep(panel.folder.incoming)
    sweep_judged(panel.folder.incoming)
    return service_app(routes, lifespan, has_key=has_key)


@contextmanager
def working(panel: Panel, *, votes: bool) -> Iterator[None]:
    """Follow the chain, and look at open cases, until the `with` statement ends.

    The chain is closed then, which ends the following of it.
    """
    stop = threading.Event()
    threads = [threading.Thread(target=_follow, args=(panel, stop), daemon=True)]
    if votes:
        threads.append(threading.Thread(target=_work, args=(panel, stop), daemon=True))
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        panel.stirred.set()
        panel.chain.close()
        for thread in threads:
            thread.join()


def _follow(panel: Panel, stop: threading.Event) -> None:
    def hear() -> None:
        try:
            for happening in panel.chain.happenings(panel.folder.cursor, type="data.reached"):
                for _ in panel.hear(happening):
                    log.info("a case")
                if stop.is_set():
                    return
        except Gone:  # the node has given that block up; a case is also heard of by its evidence
            log.warning("cases of given up blocks may be missed")
            panel.folder.follow_from(str(Place(panel.chain.head().height, END_OF_BLOCK)))

    _again(hear, stop, stop.wait)


def _work(panel: Panel, stop: threading.Event) -> None:
    def look() -> None:
        for finding in panel.work():
            log.info("voted", vote=finding.vote)

    def rest(seconds: float) -> None:
        panel.stirred.wait(seconds)
        panel.stirred.clear()

    _again(look, stop, rest)


def _again(
    step: Callable[[], None], stop: threading.Event, rest: Callable[[float], object]
) -> None:
    """Take a step, pause, and take it again; a node that is away or a full disk is waited for."""
    while not stop.is_set():
        try:
            step()
        except Unreachable as error:
            log.warning("the node is away", why=error.why)
        except PASSES as error:
            log.warning("it is tried again", kind=type(error).__name__)
        except RuntimeError:
            if not stop.is_set():
                raise
        rest(PAUSE_S)
