"""What every operation works on: the open chain, its feed, the settings, and who asks how much."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from http import HTTPStatus
from typing import Any, Final, ParamSpec, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.types import Scope

from tongbao.node.access.callers import CALLER, Caller, Callers
from tongbao.node.access.policy import Policy
from tongbao.node.feed import Feed
from tongbao.node.limits import Buckets
from tongbao.node.metrics import Metrics
from tongbao.node.problems import problem, too_many, unavailable
from tongbao.node.recall import AnyRecall
from tongbao.node.settings import Settings
from tongbao.sdk.local import Chain
from tongbao.sdk.prover import NotProven

P = ParamSpec("P")
R = TypeVar("R")

MS: Final = 1_000


def media_type_of(request: Request) -> str:
    """What a request says that its body is, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


class Api:
    """One node's parts. Reads happen in worker threads: a block may be under way."""

    def __init__(
        self,
        chain: Chain,
        feed: Feed,
        settings: Settings,
        document: dict[str, Any],
        recall: AnyRecall | None = None,
        *,
        at_once: bool = False,
        callers: Callers | None = None,
    ) -> None:
        """Put the parts together: `document` is the OpenAPI document; no `recall`, no history.

        `callers` are whom this process knows, where it has the sockets. With `at_once` each read is
        of one height from its begin to its end, however many questions it has, and is done in the
        event loop: where reading keeps no block from being made, and none keeps a read waiting.
        """
        self._at_once = at_once
        self.document = msgspec.json.encode(document)
        self.chain = chain
        self.feed = feed
        self.settings = settings
        self.recall = recall
        self.buckets = Buckets(settings.rate_per_s)
        self.callers = callers or Callers(settings, chain.id)
        self.policy = Policy()
        self.caller_buckets = Buckets(settings.caller_rate_per_s)
        self.metrics = Metrics()
        self.streams = 0
        self.living: Callable[[], dict[str, int]] = dict
        """How many other processes of this node answer, by role; a front says so."""
        self.stopping = asyncio.Event()

    async def read(
        self,
        min_height: int | None,
        function: Callable[P, R],
        *arguments: P.args,
        **named: P.kwargs,
    ) -> R:
        """Call a read of the chain, once it has the height that the caller has seen already.

        It reads some rows and blocks and asks nobody else: where readers are beside the process
        that decides, it is done in the event loop.
        """
        await self.reached(min_height)
        if not self._at_once:
            return await self.apart(function, *arguments, **named)
        try:
            return self._read_at_once(function, *arguments, **named)
        except NotProven as error:
            raise unavailable(str(error)) from error

    async def reached(self, min_height: int | None) -> None:
        """Wait for the height that the caller has seen already. Raises ProblemError, 503."""
        if min_height is not None:
            seconds = self.settings.wait_ms / MS
            if not await self.feed.reach(min_height, seconds):
                raise unavailable(f"height {min_height} was not reached in {seconds:g} s")

    async def apart(self, function: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        """Call in a thread of its own what may take its time, or wait for another process."""
        try:
            return await asyncio.to_thread(function, *arguments, **named)
        except NotProven as error:
            raise unavailable(str(error)) from error

    def _read_at_once(self, function: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
        with self.chain.reading():
            return function(*arguments, **named)

    def charge(self, scope: Scope, count: int = 1) -> None:
        """Count requests against the rates of the caller and its address. Raises ProblemError, 429.

        A caller with a rate of its own is counted by that alone: whoever gave it knows the caller.
        """
        caller: Caller | None = scope.get(CALLER)
        if caller is not None:
            rate = caller.rate_per_s or self.settings.caller_rate_per_s
            if not self.caller_buckets.take(caller.name, count, rate):
                raise too_many(f"you have at most {rate} transactions and requests a second")
            if caller.key_id is not None:
                return
        client = scope.get("client")
        if not self.buckets.take("" if client is None else client[0], count):
            limit = self.settings.rate_per_s
            raise too_many(f"one address has at most {limit} transactions and requests a second")

    async def body(self, request: Request, media_types: Collection[str]) -> bytes:
        """A request's body, within its limits of size and time, of one of these media types."""
        if media_type_of(request) not in media_types:
            raise problem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"send one of: {', '.join(media_types)}"
            )
        if request.headers.get("content-encoding", "identity") != "identity":
            raise problem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send the body without a content encoding"
            )
        return await self.any_body(request)

    async def any_body(self, request: Request) -> bytes:
        """A request's body, within its limits of size and time. Raises ProblemError."""
        limit = self.settings.body_bytes
        hang_up = {"Connection": "close"}  # rather than read what nobody wants
        too_long = problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has at most {limit} bytes", hang_up
        )
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self.settings.request_ms / MS):
                async for part in request.stream():
                    size += len(part)
                    if size > limit:
                        raise too_long
                    parts.append(part)
        except TimeoutError:
            raise problem(
                HTTPStatus.REQUEST_TIMEOUT, "the body did not arrive in time", hang_up
            ) from None
        except ClientDisconnect:
            raise problem(HTTPStatus.BAD_REQUEST, "the connection ended in the body") from None
        return b"".join(parts)


class Site:
    """What is served while the event loop runs: there is no `api` before."""

    api: Api

    def stop(self) -> None:
        """Let streams end and `/readyz` say so; what is under way goes on to its end."""
        self.api.stopping.set()
        self.api.feed.close()
