"""What goes over the sockets of a program: each byte is looked at on its way, in both directions.

A wire listens in front of a program, and hands on. The program is told that it is called by the
wire's address, since requests are signed for the address that they go to.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from tongbao.store.closable import Closable

PIECE_BYTES: Final = 1 << 18
BACKLOG: Final = 256
HOST: Final = "127.0.0.1"


class Wire(Closable):
    """A relay in front of one program, which looks for forms of planted texts."""

    def __init__(self, name: str, forms: Mapping[str, bytes]) -> None:
        """Listen; `to` says where it leads."""
        self.name = name
        self.forms = forms
        self.bytes = 0
        self.found: set[str] = set()
        self._longest = max(map(len, forms.values()))
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._target = ("", 0)
        self._listening = socket.create_server((HOST, 0), backlog=BACKLOG)
        self.address = f"http://{HOST}:{self._listening.getsockname()[1]}"

    def to(self, address: str) -> None:
        """Lead to a program at an address such as `http://127.0.0.1:8640`."""
        host, _, port = address.rpartition("//")[2].strip("/").rpartition(":")
        self._target = host, int(port)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Cut it. May be called again."""
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        with self._lock:
            left = list(self._open)
        for each in left:
            _cut(each)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self._target)
            except OSError:
                near.close()
                continue
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open |= {near, far}
            ways = [(near, far), (far, near)]
            for way in tuple(ways):
                threading.Thread(target=self._carry, args=(*way, ways), daemon=True).start()

    def _carry(
        self,
        source: socket.socket,
        sink: socket.socket,
        ways: list[tuple[socket.socket, socket.socket]],
    ) -> None:
        """Hand on everything that one side says; who is the last of both ways closes both."""
        before = b""
        with suppress(OSError):
            while piece := source.recv(PIECE_BYTES):
                sink.sendall(piece)
                before = self._look(before + piece, len(piece))
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
        with self._lock:
            ways.remove((source, sink))
            self._open.discard(source)
            is_last = not ways
        if is_last:
            source.close()
            sink.close()

    def _look(self, window: bytes, new: int) -> bytes:
        """Note what stands in it; the end of it, which a form may begin in."""
        found = {name for name, form in self.forms.items() if form in window}
        with self._lock:
            self.bytes += new
            self.found |= found
        return window[-self._longest :]


def _cut(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
