"""A store's inbox on a real socket: takes parcels by drop tokens, until a drop is deleted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PARCEL_BYTES_LIMIT = 1_048_576


class InboxServer(ThreadingHTTPServer):
    """What was left, by space, and which spaces have deleted their drop."""

    def __init__(self) -> None:
        """Listen on a free port."""
        self.left: dict[str, list[bytes]] = {}
        self.tokens: dict[str, str] = {}
        self.closed: set[str] = set()
        self.answers: dict[str, tuple[int, str]] = {}
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: InboxServer

    def do_POST(self) -> None:
        """Take a parcel."""
        body = self.rfile.read(min(int(self.headers["content-length"]), PARCEL_BYTES_LIMIT))
        space = self.path.split("/")[3]
        told = self.headers["authorization"] == f"Drop {self.server.tokens.get(space)}"
        if space in self.server.answers:
            self._answer(*self.server.answers[space])
            return
        if self.path != f"/v1/spaces/{space}/inbox" or not told or space in self.server.closed:
            self._answer(403, "application/problem+json")
            return
        self.server.left.setdefault(space, []).append(body)
        self._answer(201, body=b'{"name":"%s"}' % sha256(body).hexdigest().encode())

    def _answer(self, status: int, kind: str = "application/json", body: bytes = b"{}") -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@contextmanager
def inbox_server() -> Iterator[InboxServer]:
    """A server until the `with` statement ends."""
    with InboxServer() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
