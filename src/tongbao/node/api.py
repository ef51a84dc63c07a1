"""What every operation works on: the open chain, its feed, the settings, and who asks how much."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, ParamSpec, TypeVar

from starlette.requests import ClientDisconnect, Request

from tongbao.node.feed import Feed
from tongbao.node.limits import Buckets
from tongbao.node.metrics import Metrics
from tongbao.node.problems import problem, unavailable
from tongbao.node.recall import Recall
from tongbao.node.settings import Settings
from tongbao.sdk.local import Chain

P = ParamSpec("P")
R = TypeVar("R")

MS: Final = 1_000


class Api:
    """One node's parts. Reads happen in worker threads: a block may be under way."""

    def __init__(
        self, chain: Chain, feed: Feed, settings: Settings, recall: Recall | None = None
    ) -> None:
        """Put the parts together; without `recall` there is no history."""
        self.chain = chain
        self.feed = feed
        self.settings = settings
        self.recall = recall
        self.buckets = Buckets(settings.rate_per_s)
        self.metrics = Metrics()
        self.streams = 0
        self.stopping = asyncio.Event()

    async def read(
        self,
        min_height: int | None,
        function: Callable[P, R],
        *arguments: P.args,
        **named: P.kwargs,
    ) -> R:
        """Call a read of the chain, once it has the height that the caller has seen already."""
        if min_height is not None:
            seconds = self.settings.wait_ms / MS
            if not await self.feed.reach(min_height, seconds):
                raise unavailable(f"height {min_height} was not reached in {seconds:g} s")
        return await asyncio.to_thread(function, *arguments, **named)

    async def body(self, request: Request) -> bytes:
        """A request's body, within its limits of size and time."""
        if request.headers.get("content-encoding", "identity") != "identity":
            raise problem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send the body without a content encoding"
            )
        limit = self.settings.body_bytes
        too_long = problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body has at most {limit} bytes")
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
            raise problem(HTTPStatus.REQUEST_TIMEOUT, "the body did not arrive in time") from None
        except ClientDisconnect:
            raise problem(HTTPStatus.BAD_REQUEST, "the connection ended in the body") from None
        return b"".join(parts)
