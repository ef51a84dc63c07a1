"""Answering what a front relays: an ASGI application behind a unix socket, without HTTP between."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from starlette.types import ASGIApp, Message, Scope

from tongbao.engines.memory import keep_what_is_loaded
from tongbao.node.processes.child import Child
from tongbao.node.processes.layout import socket_name
from tongbao.node.processes.relay_frames import (
    PART_BYTES,
    WHOLE_BYTES,
    WINDOW,
    Asked,
    Begun,
    Ended,
    Frame,
    Part,
    RawHeaders,
    Taken,
    Talking,
)

log = logging.getLogger("tongbao.node")

LEAST: Final = "tongbao.least"
"""In a scope: the height that an answer must have, as `Asked.least`."""
QUEUE: Final = "tongbao.queue"
"""In a scope: what the front says of its queue, as `Asked.queue`."""


class _Answer:
    """One request under way: what the application is given, and where its answer goes."""

    def __init__(self, talking: _Answering, asked: Asked) -> None:
        self._talking = talking
        self._asked = asked
        self._room = asyncio.Semaphore(WINDOW)
        self._status = int(HTTPStatus.INTERNAL_SERVER_ERROR)
        self._headers: RawHeaders = ()
        self._kept: list[bytes] = []
        self._size = 0
        self._is_parted = False
        self._is_given = False
        self.task: asyncio.Future[None] | None = None

    def take(self) -> None:
        """The front has taken a part."""
        self._room.release()

    def scope(self) -> Scope:
        """The request as ASGI has it."""
        asked = self._asked
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": asked.method,
            "scheme": "http",
            "path": asked.path,
            "raw_path": asked.path.encode(),
            "query_string": asked.query,
            "root_path": "",
            "headers": list(asked.headers),
            "client": None,
            "server": None,
            "state": {},
            LEAST: asked.least,
            QUEUE: asked.queue,
        }

    async def receive(self) -> Message:
        """The body, once; then the other side is there until it has gone, which cancels this."""
        if not self._is_given:
            self._is_given = True
            return {"type": "http.request", "body": self._asked.body, "more_body": False}
        await asyncio.get_running_loop().create_future()
        raise AssertionError("cancelled before")

    async def send(self, message: Message) -> None:
        """Pass the answer on: in one frame if it is small, else in parts as they are taken."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = tuple((name, value) for name, value in message.get("headers", ()))
            return
        assert message["type"] == "http.response.body"
        body, more = message.get("body", b""), message.get("more_body", False)
        if not self._is_parted:
            if not more and self._size + len(body) <= WHOLE_BYTES:
                self._say_head(b"".join((*self._kept, body)), is_whole=True)
                return
            self._is_parted = True
            self._say_head(b"", is_whole=False)
        await self._parts(bytes(body), is_last=not more)

    def _say_head(self, body: bytes, *, is_whole: bool) -> None:
        number = self._asked.number
        self._talking.say(Begun(number, self._status, self._headers, body, is_whole))

    async def _parts(self, body: bytes, *, is_last: bool) -> None:
        for start in range(0, max(len(body), 1), PART_BYTES):
            part = body[start : start + PART_BYTES]
            ends = is_last and start + PART_BYTES >= len(body)
            if part or ends:
                await self._room.acquire()
                await self._talking.drained()
                self._talking.say(Part(self._asked.number, part, ends))


class _Answering(Talking):
    """A connection of a front: many requests at once, each in a task of its own."""

    def __init__(self, app: ASGIApp, ends: set[_Answering]) -> None:
        super().__init__()
        self._app = app
        self._ends = ends
        self._answers: dict[int, _Answer] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A front is there."""
        super().connection_made(transport)
        self._ends.add(self)

    def heard(self, frame: Frame) -> None:
        """A request, or news of one that is under way."""
        if isinstance(frame, Asked):
            answer = self._answers[frame.number] = _Answer(self, frame)
            run = self._app(answer.scope(), answer.receive, answer.send)
            answer.task = asyncio.ensure_future(run)
            answer.task.add_done_callback(lambda task: self._done(frame.number, task))
            return
        found = self._answers.get(frame.number)
        if found is None:
            return
        if isinstance(frame, Taken):
            found.take()
        elif isinstance(frame, Ended) and found.task is not None:
            found.task.cancel()

    def _done(self, number: int, task: asyncio.Future[None]) -> None:
        """An answer is complete, or nobody wants it, or it broke off by a bug of ours."""
        del self._answers[number]
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("an answer broke off: %s", type(error).__name__)
            self.say(Ended(number))

    def lost(self) -> None:
        """The front has gone: nobody wants these answers."""
        self._ends.discard(self)
        for answer in list(self._answers.values()):
            if answer.task is not None:
                answer.task.cancel()


async def answer_on(app: ASGIApp, listening: socket.socket, stop: asyncio.Event) -> None:
    """Answer by an application what fronts ask on a listening unix socket, until told to stop.

    The application's lifespan is around it. Raises RuntimeError where that does not begin.
    """
    ends: set[_Answering] = set()
    loop = asyncio.get_running_loop()
    living = Lifespan(app)
    await living.begin()
    try:
        server = await loop.create_unix_server(lambda: _Answering(app, ends), sock=listening)
        try:
            await stop.wait()
        finally:
            server.close()
            for end in list(ends):
                end.close()
    finally:
        await living.end()


async def answer_until_told(app: ASGIApp, child: Child, begun: Callable[[], object]) -> None:
    """Answer at the socket of a process until it is told to stop; `begun` is called before."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def told_to_stop() -> None:
        loop.call_soon_threadsafe(stop.set)

    child.on_stop = told_to_stop
    if child.is_told_to_stop:
        stop.set()
    orders = child.orders
    path = Path(orders.sockets) / socket_name(orders.role, orders.number)
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        keep_what_is_loaded()
        begun()
        await answer_on(app, listening, stop)


class Lifespan:
    """The beginning and end of an application, as ASGI tells it."""

    def __init__(self, app: ASGIApp) -> None:
        """Nothing has begun."""
        self._app = app
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[Any] | None = None

    async def begin(self) -> None:
        """Let it begin. Raises RuntimeError where it can't."""
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
        run = self._app(scope, self._to_app.get, self._from_app.put)
        self._task = asyncio.ensure_future(run)
        await self._step("startup")

    async def end(self) -> None:
        """Let it end what goes on."""
        await self._step("shutdown")
        assert self._task is not None
        await self._task

    async def _step(self, name: str) -> None:
        await self._to_app.put({"type": f"lifespan.{name}"})
        answer = await self._from_app.get()
        if answer["type"] != f"lifespan.{name}.complete":
            raise RuntimeError(f"the application's {name} failed: {answer.get('message', '')}")
