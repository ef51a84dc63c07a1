"""Following a node's events through broken connections and restarts."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

import httpx2
import msgspec

from tongbao.sdk.answers import Happening
from tongbao.sdk.asking import BAD_REQUEST, LATER, Answered, pauses, problem_of
from tongbao.sdk.errors import Unreachable, Unreadable, error_of
from tongbao.sdk.place import Place, place_of

QUIET_S: Final = 45.0
"""A node shows life every 15 s: after three times that, the connection is taken for dead."""
EVENT_BYTES: Final = 16_777_216
"""The longest event that is read; a transaction and its receipt are far below."""
PATH: Final = "/v1/events"


class Stream:
    """What is known of one stream: where it goes on, what came in part, how long it is silent."""

    def __init__(self, after: Place, filters: Mapping[str, str], patience_s: float) -> None:
        """Begin after a place."""
        self._after = after
        self._filters = dict(filters)
        self._patience_s = patience_s
        self._buffer = b""
        self._began = 0.0
        self._lives = False
        self._pauses = pauses()
        self._spent_s = 0.0

    def begin(self) -> dict[str, str]:
        """Begin a connection; the parameters of its request."""
        self._buffer = b""
        self._began = time.monotonic()
        self._lives = False
        return {**self._filters, "after": str(self._after)}

    def check(self, status: int, content: bytes) -> None:
        """Refuse an answer that is no stream. Raises RemoteProtocolError for "later", NodeError."""
        if status in LATER:
            raise httpx2.RemoteProtocolError(f"status {status}")
        if status >= BAD_REQUEST:
            raise error_of(problem_of(Answered(status, content)))

    def hear(self, part: bytes) -> Iterator[Happening]:
        """The events that end in what has come; what has begun is kept. Raises NodeError."""
        self._lives = True
        self._pauses = pauses()
        self._spent_s = 0.0
        *events, self._buffer = (self._buffer + part).split(b"\n\n")
        if len(self._buffer) > EVENT_BYTES:
            raise Unreadable(f"an event of more than {EVENT_BYTES} bytes")
        for event in events:
            for line in event.split(b"\n"):
                if line.startswith(b"data: "):
                    yield from self._tell(line[6:])

    def _tell(self, text: bytes) -> Iterator[Happening]:
        try:
            happening = msgspec.json.decode(text, type=Happening)
            place = place_of(happening.cursor)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise Unreadable(f"an event: {error}") from error
        if place > self._after:
            self._after = place
            yield happening

    def broke(self, why: str) -> float:
        """Seconds to wait before the next connection. Raises Unreachable when patience has ended.

        Only what was in vain since the last sign of life counts.
        """
        if not self._lives:
            self._spent_s += time.monotonic() - self._began
        pause = next(self._pauses)
        if self._spent_s + pause > self._patience_s:
            raise Unreachable(f"no stream for {self._spent_s:.1f} s: {why}")
        self._spent_s += pause
        return pause


class Closing:
    """The sockets of streams that are being read: closing them lets their readers go at once."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self.event = threading.Event()
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []

    def close(self) -> None:
        """End all streams."""
        self.event.set()
        with self._lock:
            for one in self._sockets:
                with suppress(OSError):  # it has ended by itself
                    one.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def reading(self, answer: httpx2.Response) -> Iterator[None]:
        """Note a stream while it is read."""
        stream = answer.extensions.get("network_stream")
        found = None if stream is None else stream.get_extra_info("socket")
        kept = [found] if isinstance(found, socket.socket) else []
        with self._lock:
            self._sockets += kept
        try:
            yield
        finally:
            with self._lock:
                for one in kept:
                    self._sockets.remove(one)


def follow(
    client: httpx2.Client, stream: Stream, wait: Callable[[float], object], closing: Closing
) -> Iterator[Happening]:
    """Events until the client is closed. Raises Unreachable when the node stays away, NodeError."""
    while not closing.event.is_set():
        try:
            yield from _connection(client, stream, closing)
            why = "the node has ended it"
        except (httpx2.RequestError, RuntimeError) as error:
            if closing.event.is_set():
                return
            if isinstance(error, RuntimeError):
                raise
            why = f"{type(error).__name__}: {error}"
        if not closing.event.is_set():
            wait(stream.broke(why))


def _connection(client: httpx2.Client, stream: Stream, closing: Closing) -> Iterator[Happening]:
    """Events of one connection until it ends."""
    query = stream.begin()
    timeout = httpx2.Timeout(QUIET_S)
    with client.stream("GET", PATH, params=query, timeout=timeout) as answer:
        stream.check(answer.status_code, answer.read() if answer.is_error else b"")
        with closing.reading(answer):
            if closing.event.is_set():
                return
            for part in answer.iter_bytes():
                yield from stream.hear(part)


async def follow_asynchronously(
    client: httpx2.AsyncClient, stream: Stream, closed: asyncio.Event
) -> AsyncIterator[Happening]:
    """The same with `await`; `closed` ends it."""
    while not closed.is_set():
        try:
            async for happening in _asynchronous_connection(client, stream, closed):
                yield happening
            why = "the node has ended it"
        except (httpx2.RequestError, RuntimeError) as error:
            if closed.is_set():
                return
            if isinstance(error, RuntimeError):
                raise
            why = f"{type(error).__name__}: {error}"
        if not closed.is_set():
            await until(closed, stream.broke(why))


async def until(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event, so long at most; whether it came."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False


async def _asynchronous_connection(
    client: httpx2.AsyncClient, stream: Stream, closed: asyncio.Event
) -> AsyncIterator[Happening]:
    query = stream.begin()
    timeout = httpx2.Timeout(QUIET_S)
    async with client.stream("GET", PATH, params=query, timeout=timeout) as answer:
        stream.check(answer.status_code, await answer.aread() if answer.is_error else b"")
        ending = asyncio.create_task(closed.wait())
        parts = aiter(answer.aiter_bytes())
        try:
            while (part := await _next_part(parts, ending)) is not None:
                for happening in stream.hear(part):
                    yield happening
        finally:
            ending.cancel()


async def _next_part(parts: AsyncIterator[bytes], ending: asyncio.Task[bool]) -> bytes | None:
    """What comes next; None at the end, or when `ending` has come before."""

    async def read() -> bytes | None:
        return await anext(parts, None)

    reading = asyncio.create_task(read())
    try:
        await asyncio.wait({reading, ending}, return_when=asyncio.FIRST_COMPLETED)
        return reading.result() if reading.done() else None
    finally:
        if not reading.done():
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading
