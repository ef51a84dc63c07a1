"""A connection that can't be held open by sending a head slowly, nor fill memory by a long one."""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES: Final = 16_384
HEAD_S: Final = 20.0
STALL_S: Final = 60.0
"""How long an answer may wait for a reader that reads nothing."""


class Guarded(HttpToolsProtocol):
    """Uvicorn's connection with limits of a head's bytes and time; bodies have their own."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """From now on a whole head is due."""
        super().connection_made(transport)
        self._head_bytes: int | None = 0
        self._stall: asyncio.TimerHandle | None = None
        self._due: asyncio.TimerHandle | None = self.loop.call_later(HEAD_S, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._settle()
        self._flow()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A head is due."""
        super().on_message_begin()
        self._settle()
        self._head_bytes = 0
        self._due = self.loop.call_later(HEAD_S, self.transport.abort)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._settle()
        self._head_bytes = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Another request may follow, after a while."""
        super().on_message_complete()
        self._head_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Count what comes before a head is whole."""
        for at in range(0, len(data), HEAD_BYTES):
            piece = data[at : at + HEAD_BYTES]
            super().data_received(piece)
            if self.transport.is_closing():
                return
            if self._head_bytes is None:
                continue
            self._head_bytes += len(piece)
            if self._head_bytes > 2 * HEAD_BYTES:
                self.transport.abort()
                return

    def pause_writing(self) -> None:
        """The other side does not read: it has some time to begin again."""
        super().pause_writing()
        self._stall = self.loop.call_later(STALL_S, self.transport.abort)

    def resume_writing(self) -> None:
        """It reads."""
        self._flow()
        super().resume_writing()

    def _settle(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _flow(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
