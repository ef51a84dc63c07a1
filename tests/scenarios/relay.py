"""A relay between two programs that remembers every byte of both directions."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from tongbao.localnet.ports import free_ports

PIECE_BYTES: Final = 65_536
MOST_BYTES: Final = 1 << 28
"""More than these tests send; a relay that has seen more says so by failing."""


class Relay(socketserver.ThreadingTCPServer):
    """Listens at `url`, and connects to `target` for each connection."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        """Listen."""
        super().__init__(("127.0.0.1", free_ports(1)[0]), _Connection)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.target = ("127.0.0.1", 0)
        self.flows: list[bytearray] = []
        self._open: set[socket.socket] = set()

    def lead_to(self, url: str) -> str:
        """Say where to connect to; the relay's own address."""
        host, _, port = url.removeprefix("http://").rpartition(":")
        self.target = (host, int(port))
        return self.url

    def recorded(self) -> bytes:
        """All that was said, one direction of a connection after the other."""
        return b"\n".join(map(bytes, self.flows))

    def carry(self, source: socket.socket, sink: socket.socket) -> None:
        """Carry bytes one way until their end, and remember them."""
        flow = bytearray()
        self.flows.append(flow)
        with suppress(OSError):
            while piece := source.recv(PIECE_BYTES):
                flow += piece
                assert len(flow) < MOST_BYTES
                sink.sendall(piece)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def opened(self, *sockets: socket.socket) -> None:
        """Keep sockets in mind, to end them."""
        self._open.update(sockets)

    def end(self) -> None:
        """End all connections, and listen no more."""
        self.shutdown()
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self.server_close()


class _Connection(socketserver.BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        """Both directions, until either end closes."""
        with socket.create_connection(self.server.target) as other:
            self.server.opened(self.request, other)
            back = threading.Thread(target=self.server.carry, args=(other, self.request))
            back.start()
            self.server.carry(self.request, other)
            back.join()


@contextmanager
def relay(url: str = "") -> Iterator[Relay]:
    """A relay while it serves."""
    found = Relay()
    if url:
        found.lead_to(url)
    thread = threading.Thread(target=found.serve_forever)
    thread.start()
    try:
        yield found
    finally:
        found.end()
        thread.join()
