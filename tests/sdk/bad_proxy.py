"""A proxy before a node that does to connections what bad networks do, by chance, counted."""

from __future__ import annotations

import random
import socket
import socketserver
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

SECONDS: Final = 30
DELAY_S: Final = 0.03
HEAD_END: Final = b"\r\n\r\n"
LATER: Final = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
FAULTS: Final = (
    "dropped before the node had it",
    "dropped while the node worked",
    "dropped with the whole answer",
    "answer cut half-way",
    "delayed",
    "503 instead of the node",
    "503 after the node had it",
)


class BadProxy(socketserver.ThreadingTCPServer):
    """Passes requests on to a node; `badness` of them come to one of the faults."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, node: tuple[str, int], seed: int, badness: float) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _Connection)
        self.node = node
        self.counts = Counter(dict.fromkeys((*FAULTS, "passed on"), 0))
        self._random = random.Random(seed)
        self._badness = badness
        self._lock = threading.Lock()

    def fate(self) -> str:
        """What shall happen to the next request."""
        with self._lock:
            bad = self._random.random() < self._badness
            fate = self._random.choice(FAULTS) if bad else "passed on"
            self.counts[fate] += 1
        return fate


class _Connection(socketserver.BaseRequestHandler):
    """One connection of a client: its requests, one after the other."""

    server: BadProxy

    def handle(self) -> None:
        """Serve until a fault closes it, or the client does."""
        try:
            while (request := _message(self.request)) and self._one(request):
                pass
        except OSError:
            return  # the other side has gone, as other sides do

    def _one(self, request: bytes) -> bool:
        """One request; whether the connection goes on."""
        client: socket.socket = self.request
        fate = self.server.fate()
        if fate == "dropped before the node had it":
            return False
        if fate == "503 instead of the node":
            client.sendall(LATER)
            return True
        if fate == "delayed":
            threading.Event().wait(DELAY_S)
        with socket.create_connection(self.server.node, timeout=SECONDS) as node:
            node.sendall(request)
            if fate == "dropped while the node worked":
                return False
            answer = _message(node)
        match fate:
            case "dropped with the whole answer":
                return False
            case "answer cut half-way":
                client.sendall(answer[: len(answer) // 2])
                return False
            case "503 after the node had it":
                client.sendall(LATER)
            case _:
                client.sendall(answer)
        return True


def _message(connection: socket.socket) -> bytes:
    """A request or an answer with its body, whose length its head says; empty at the end."""
    found = b""
    while HEAD_END not in found:
        part = connection.recv(65536)
        if not part:
            return b""
        found += part
    head, _, body = found.partition(HEAD_END)
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    while len(body) < length:
        part = connection.recv(65536)
        if not part:
            return b""
        body += part
    return head + HEAD_END + body


@contextmanager
def bad_proxy(address: str, seed: int, badness: float) -> Iterator[tuple[str, Counter[str]]]:
    """The address of a proxy in front of a node, and what it did to requests, counted."""
    host, _, port = address.removeprefix("http://").rpartition(":")
    with BadProxy((host, int(port)), seed, badness) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{proxy.server_address[1]}", proxy.counts
        finally:
            proxy.shutdown()
            thread.join()
