"""An endpoint that is posted to: a real HTTP server that keeps what it takes."""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import msgspec
from msgspec import Struct

from tongbao.node.webhooks.posting import CURSOR, SIGNATURE, TIMESTAMP, signature_of
from tongbao.sdk.answers import Happening

PATIENCE_S: Final = 60
SECRET: Final = b"0123456789abcdef-of-the-desk"


class Told(Struct, frozen=True):
    """One message as it came."""

    cursor: str
    timestamp: str
    host: str
    happening: Happening


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of clients that believe no certificate."""


class Receiver:
    """Takes messages, or says another status while `status` is one; notes wrong signatures."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        """Listen on this machine, by TLS where a context is given."""
        self.status = 200
        self.told: list[Told] = []
        self.refused = 0
        self.wrong: list[str] = []
        self._news = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.take(dict(self.headers.items()), body)
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        if context is not None:
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Check a message, and keep it unless this is no time for it."""
        with self._news:
            if headers[SIGNATURE] != signature_of(SECRET, headers[TIMESTAMP], body):
                self.wrong.append(headers[SIGNATURE])
            if self.status == 200:
                happening = msgspec.json.decode(body, type=Happening)
                told = Told(headers[CURSOR], headers[TIMESTAMP], headers["Host"], happening)
                self.told.append(told)
            else:
                self.refused += 1
            self._news.notify_all()
            return self.status

    def await_told(self, count: int) -> list[str]:
        """Wait for so many messages; the cursors of all that came."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.told) >= count, PATIENCE_S), self.told
            return [one.cursor for one in self.told]

    def await_refused(self, count: int) -> None:
        """Wait until so many were refused."""
        with self._news:
            assert self._news.wait_for(lambda: self.refused >= count, PATIENCE_S), self.refused

    def stop(self) -> None:
        """Take nothing more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
