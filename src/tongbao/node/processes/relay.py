"""Handing whole requests to the processes of this node that answer them, over unix sockets.

A connection carries many requests at once. Whatever is relayed is a read, so that one whose process
has ended before its answer is asked again: of another process, or of the same one once it is back.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Sequence
from itertools import count
from pathlib import Path
from typing import Final

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from tongbao.node.problems import unavailable
from tongbao.node.processes.relay_frames import (
    Asked,
    Begun,
    Ended,
    Frame,
    Part,
    RawHeaders,
    Taken,
    Talking,
)
from tongbao.sdk.beside import Queue

IN_FLIGHT: Final = 256
"""Requests that are relayed at once; more wait, as many as there are connections at most."""
NO_QUEUE: Final = Queue()
ATTEMPTS: Final = 4
AGAIN_S: Final = 0.02
LONGEST_AGAIN_S: Final = 0.5
ANSWER_S: Final = 60.0
"""The longest that an answer may take to begin; a read waits a few seconds at most."""


class Lost(Exception):
    """The process that was asked has ended."""


class _Waiting:
    """An answer that is waited for, and its parts as they come."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.begun: asyncio.Future[Begun] = asyncio.get_running_loop().create_future()
        self.parts: deque[Part] = deque()
        self.is_lost = False
        self.news = asyncio.Event()

    def lose(self) -> None:
        """There will be no more."""
        self.is_lost = True
        self.news.set()
        if not self.begun.done():
            self.begun.set_exception(Lost())


class _Link(Talking):
    """One connection to a process that answers."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = count()
        self._waiting: dict[int, _Waiting] = {}
        self.ended = asyncio.Event()

    @property
    def load(self) -> int:
        """How many requests are under way."""
        return len(self._waiting)

    async def ask(self, asked: Asked) -> tuple[_Waiting, Begun]:
        """Send a request, and wait for the head of its answer. Raises Lost, TimeoutError."""
        number = next(self._numbers)
        waiting = self._waiting[number] = _Waiting(number)
        try:
            await self.drained()
            if not self.is_open:
                raise Lost
            self.say(replace(asked, number=number))
            begun = await asyncio.wait_for(waiting.begun, ANSWER_S)
        except BaseException:
            self.forget(waiting)
            raise
        if begun.is_whole:
            del self._waiting[number]
        return waiting, begun

    def forget(self, waiting: _Waiting) -> None:
        """Nobody wants this answer any more."""
        if self._waiting.pop(waiting.number, None) is not None:
            self.say(Ended(waiting.number))

    async def parts(self, waiting: _Waiting) -> AsyncIterator[bytes]:
        """The parts of an answer in their order. Raises Lost when the rest does not come."""
        try:
            while True:
                while not waiting.parts:
                    if waiting.is_lost:
                        raise Lost
                    waiting.news.clear()
                    await waiting.news.wait()
                part = waiting.parts.popleft()
                yield part.body
                if part.is_last:
                    self._waiting.pop(waiting.number, None)
                    return
                self.say(Taken(waiting.number))
        finally:
            self.forget(waiting)

    def heard(self, frame: Frame) -> None:
        """News of an answer that somebody waits for; others have gone meanwhile."""
        waiting = self._waiting.get(frame.number)
        if waiting is None:
            return
        if isinstance(frame, Begun):
            if not waiting.begun.done():
                waiting.begun.set_result(frame)
        elif isinstance(frame, Part):
            waiting.parts.append(frame)
            waiting.news.set()
        elif isinstance(frame, Ended):
            waiting.lose()

    def lost(self) -> None:
        """The process has ended: who waits learns it."""
        self.ended.set()
        for waiting in list(self._waiting.values()):
            waiting.lose()


class Relay:
    """The processes that answer one kind of request; start it in the event loop that asks."""

    def __init__(self, paths: Sequence[Path], patience_s: float) -> None:
        """Ask the processes behind these sockets; 503 when none answers for `patience_s`."""
        self._paths = tuple(paths)
        self._patience_s = patience_s
        self._links: list[_Link] = []
        self._keeping: list[asyncio.Task[None]] = []
        self._came = asyncio.Event()
        self._places = asyncio.Semaphore(IN_FLIGHT)

    @property
    def living(self) -> int:
        """How many processes are connected."""
        return len(self._links)

    def start(self) -> None:
        """Connect to every process, and again to one that comes back."""
        self._keeping = [asyncio.create_task(self._keep(path)) for path in self._paths]

    async def close(self) -> None:
        """End the connections. May be called again."""
        for task in self._keeping:
            task.cancel()
        await asyncio.gather(*self._keeping, return_exceptions=True)
        for link in list(self._links):
            link.close()

    async def _keep(self, path: Path) -> None:
        """Stay connected to a process, whatever becomes of it."""
        loop = asyncio.get_running_loop()
        pause = AGAIN_S
        while True:
            try:
                _, link = await loop.create_unix_connection(_Link, str(path))
            except OSError:
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_AGAIN_S)
                continue
            pause = AGAIN_S
            self._links.append(link)
            self._came.set()
            try:
                await link.ended.wait()
            finally:
                self._links.remove(link)
                link.close()

    async def ask(
        self,
        request: Request,
        body: bytes = b"",
        least: int = -1,
        queue: Queue = NO_QUEUE,
    ) -> Response:
        """The answer of a process, at height `least` or above. Raises ProblemError, 503.

        `queue` is what this process says of its queue.
        """
        scope = request.scope
        query, headers = scope["query_string"], tuple(scope["headers"])
        asked = Asked(0, scope["method"], scope["path"], query, headers, body, least, queue)
        try:
            async with asyncio.timeout(self._patience_s + ANSWER_S), self._places:
                return await self._asked(asked)
        except TimeoutError:
            raise unavailable("no process of this node has answered in time") from None

    async def _asked(self, asked: Asked) -> Response:
        """Ask until somebody answers. A request that ends whoever gets it ends not everybody."""
        for _ in range(ATTEMPTS):
            link = await self._least_busy()
            try:
                waiting, begun = await link.ask(asked)
            except Lost:
                continue
            if begun.is_whole:
                return _Whole(begun)
            return _Parted(begun, link.parts(waiting))
        raise unavailable(f"{ATTEMPTS} processes of this node have ended without an answer")

    async def _least_busy(self) -> _Link:
        """The process with the least to do; one that comes back in time where there is none."""
        async with asyncio.timeout(self._patience_s):
            while True:
                open_links = [link for link in self._links if link.is_open]
                if open_links:
                    return min(open_links, key=lambda link: link.load)
                self._came.clear()
                await self._came.wait()


class _Whole(Response):
    """An answer as it came."""

    def __init__(self, begun: Begun) -> None:
        self.status_code = begun.status
        self.body = begun.body
        self.raw_headers = list(begun.headers)
        self.background = None


class _Parted(StreamingResponse):
    """An answer that comes in parts; when the rest is lost, the connection ends in its middle."""

    def __init__(self, begun: Begun, parts: AsyncIterator[bytes]) -> None:
        super().__init__(parts, begun.status)
        self.raw_headers = list(begun.headers)
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the parts; the process is told when nobody wants more."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with contextlib.suppress(RuntimeError):
                await self._parts.aclose()  # type: ignore[attr-defined]


__all__ = ["IN_FLIGHT", "Lost", "RawHeaders", "Relay"]
