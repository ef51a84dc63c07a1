"""A connection that can't be held open by sending slowly, nor fill memory before it is refused."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, ClassVar, Final

from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tongbao.node.operations import HEALTH
from tongbao.node.problems import as_bytes, bad_request, problem, unavailable
from tongbao.node.settings import Settings

MALFORMED: Final = as_bytes(bad_request("this is no HTTP request"))
TOO_LARGE: Final = as_bytes(
    problem(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "send a shorter path and fewer headers")
)
FULL: Final = as_bytes(unavailable("the node has all the connections that it takes"))
RESERVED: Final = 100
"""Connections above the limit that may still ask for the node's health."""
HEALTH_PATHS: Final = frozenset(path.encode() for path in HEALTH)
STALL: Final = 6
"""Times that a request's time must pass without anything being read of an answer."""
OVERHEAD: Final = 8
"""Bytes on the wire for one byte of a body in chunks of one byte, and a little more."""


class GuardedProtocol(HttpToolsProtocol):
    """Uvicorn's connection with limits of bytes and time for each request.

    The head is due after `seconds`, the whole request after three times that, so that a body that
    an operation waits for gets its own answer, 408, before the connection is cut.
    """

    head_limit: ClassVar[int]
    seconds: ClassVar[float]
    connection_limit: ClassVar[int]
    crowded: ClassVar[Any]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """From now on a whole request head is due."""
        super().connection_made(transport)
        self._raw_bytes = 0
        self._body_bytes = 0
        self._trailer_bytes = 0
        self._is_in_head = True
        self._has_begun = False
        self._is_too_large = False
        self._timer: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None
        self._expect(self.seconds)
        if len(self.connections) > self.connection_limit + RESERVED:
            transport.write(FULL)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._expect(None)
        self._forget_stall()
        super().connection_lost(exc)

    def _expect(self, seconds: float | None) -> None:
        """Cut the connection off after a time; None when nothing is due."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if seconds is not None:
            self._timer = self.loop.call_later(seconds, self.transport.abort)

    def pause_writing(self) -> None:
        """The other side does not read: it has some time to begin again."""
        super().pause_writing()
        self._stall = self.loop.call_later(STALL * self.seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """It reads."""
        self._forget_stall()
        super().resume_writing()

    def _forget_stall(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._is_in_head = self._has_begun = True
        self._body_bytes = self._trailer_bytes = 0
        self._expect(self.seconds)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or after a body in chunks a trailer, which nobody reads."""
        if self._is_in_head:
            super().on_header(name, value)
            return
        self._trailer_bytes += len(name) + len(value) + 4
        self._check(self._trailer_bytes)

    def on_headers_complete(self) -> None:
        """The head is whole; its body may follow."""
        self._is_in_head = False
        self._has_begun = True
        self._expect(2 * self.seconds)
        self._check(len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers))
        usual = self.app
        if self._is_crowded():
            self.app = self.crowded
        super().on_headers_complete()
        self.app = usual

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole: nothing is due, and what comes next belongs to another."""
        self._expect(None)
        self._is_in_head = self._has_begun = True
        super().on_message_complete()

    def _check(self, size: int) -> None:
        if size > self.head_limit:
            self._is_too_large = True
            raise ValueError("the head of a request is too large")

    def _is_crowded(self) -> bool:
        too_many = len(self.connections) > self.connection_limit
        return too_many and self.url.partition(b"?")[0] not in HEALTH_PATHS

    def _should_upgrade(self) -> bool:
        return super()._should_upgrade() and not self._is_crowded()

    def data_received(self, data: bytes) -> None:
        """Take bytes in, in pieces small enough to count; those that lead nowhere are limited."""
        for at in range(0, len(data), self.head_limit):
            piece = data[at : at + self.head_limit]
            self._has_begun = False
            super().data_received(piece)
            if self.transport.is_closing() or self.transport.get_protocol() is not self:
                return
            if self._has_begun:
                self._raw_bytes = 0  # most of the piece may belong to what came before
                continue
            if self._timer is None:
                self._expect(self.seconds)  # empty lines between requests: one is due now
            self._raw_bytes += len(piece)
            allowed = self.head_limit + (0 if self._is_in_head else OVERHEAD * self._body_bytes)
            if self._raw_bytes > allowed:
                self._is_too_large = True
                self.send_400_response("")
                return

    def send_400_response(self, msg: str) -> None:
        """Say what was wrong with a head, and hang up."""
        self.transport.write(TOO_LARGE if self._is_too_large else MALFORMED)
        self.transport.close()


def guarded(settings: Settings, crowded: ASGIApp) -> type[asyncio.Protocol]:
    """The protocol class with a node's own limits; `crowded` answers beyond its connections."""
    members: dict[str, Any] = {
        "head_limit": settings.header_bytes,
        "seconds": settings.request_ms / 1000,
        "connection_limit": settings.connections,
        "crowded": staticmethod(crowded),
    }
    return type("Guarded", (GuardedProtocol,), members)
