"""A connection that can't be held open by sending slowly, nor fill memory with headers."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\n"


class GuardedProtocol(HttpToolsProtocol):
    """Uvicorn's connection with a limit of bytes and time for the head of each request."""

    head_limit: ClassVar[int]
    head_seconds: ClassVar[float]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """From now on a whole request head is due."""
        super().connection_made(transport)
        self._head_bytes = 0
        self._is_too_large = False
        self._due: asyncio.TimerHandle | None = None
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timer."""
        self._head_has_come()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        self._head_has_come()
        self._due = self.loop.call_later(self.head_seconds, self.transport.abort)

    def _head_has_come(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._head_bytes = 0
        self._expect_head()

    def on_headers_complete(self) -> None:
        """Its head is whole."""
        self._head_has_come()
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self.head_limit:
            self._is_too_large = True
            raise ValueError("the head of a request is too large")
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Take bytes in; those of a head that does not end are counted."""
        super().data_received(data)
        if self._due is not None and self.parser is not None:
            self._head_bytes += len(data)
            if self._head_bytes > self.head_limit and not self.transport.is_closing():
                self._is_too_large = True
                self.send_400_response("")

    def send_400_response(self, msg: str) -> None:
        """Say what was wrong with a head, and hang up."""
        if not self._is_too_large:
            super().send_400_response(msg)
            return
        self.transport.write(TOO_LARGE + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()


def guarded(head_limit: int, head_seconds: float) -> type[asyncio.Protocol]:
    """The protocol class with a node's own limits."""
    members: dict[str, Any] = {"head_limit": head_limit, "head_seconds": head_seconds}
    return type("Guarded", (GuardedProtocol,), members)
