"""TLS handshakes within limits of time and number, before a connection is one that asks.

asyncio counts nothing before a handshake has ended. Here connections are taken by hand: those that
shake hands count among a node's connections, and one that does not within a request's time is cut
off. What comes afterwards is uvicorn's protocol as ever.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Sized
from contextlib import suppress
from typing import Any, Final

from tongbao.node.access.callers import CERTIFICATE
from tongbao.node.access.tls import Contexts, account_of

AT_ONCE: Final = 100
"""Connections that are taken before others have their turn."""
FULL_S: Final = 0.1
"""How long nothing is accepted once the system has no more descriptors."""


def certified(inner: type[Any], chain: str) -> type[asyncio.Protocol]:
    """A protocol class whose requests say which account of a chain their certificate names."""

    def connection_made(self: Any, transport: asyncio.Transport) -> None:
        found: ssl.SSLObject = transport.get_extra_info("ssl_object")
        account = account_of(found.getpeercert(), chain)
        self.app_state = {**self.app_state, CERTIFICATE: account}
        inner.connection_made(self, transport)

    return type("Certified", (inner,), {"connection_made": connection_made})


class SafeListener:
    """A listening socket whose connections shake hands before they are handed on."""

    def __init__(
        self,
        listening: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        contexts: Contexts,
        seconds: float,
        limit: int,
        connections: Sized,
    ) -> None:
        """Hand on to a `protocol`; at most `limit` that shake hands and `connections` together."""
        self._listening = listening
        self._protocol = protocol
        self._contexts = contexts
        self._seconds = seconds
        self._limit = limit
        self._connections = connections
        self._under_way: set[asyncio.Task[None]] = set()
        self._again: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        """Take connections from now on."""
        self._again = None
        self._listening.setblocking(False)
        self._loop.add_reader(self._listening.fileno(), self._accept)

    def _accept(self) -> None:
        """Take the connections that wait."""
        for _ in range(AT_ONCE):
            try:
                connection, _ = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:  # no descriptor is left: others will be given back
                self._loop.remove_reader(self._listening.fileno())
                self._again = self._loop.call_later(FULL_S, self.start)
                return
            if len(self._under_way) + len(self._connections) >= self._limit:
                connection.close()
                continue
            connection.setblocking(False)
            task = self._loop.create_task(self._shake(connection))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _shake(self, connection: socket.socket) -> None:
        """Shake hands, then hand on; whoever can't is hung up on."""
        with suppress(OSError):  # an SSLError is one, and so is a TimeoutError
            await self._loop.connect_accepted_socket(
                self._protocol,
                connection,
                ssl=self._contexts.now(),
                ssl_handshake_timeout=self._seconds,
                ssl_shutdown_timeout=self._seconds,
            )

    def close(self) -> None:
        """Take no more, and end the handshakes that are under way. May be called again."""
        if self._again is not None:
            self._again.cancel()
            self._again = None
        if self._listening.fileno() >= 0:
            self._loop.remove_reader(self._listening.fileno())
        for task in self._under_way:
            task.cancel()

    async def wait_closed(self) -> None:
        """Wait for the end of the handshakes."""
        await asyncio.gather(*self._under_way, return_exceptions=True)
