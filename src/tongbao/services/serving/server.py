"""What every program that listens needs: an address of its own, and an orderly end."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class ListenError(Exception):
    """The program can't listen where it was told to; the text says why."""

    exit_code = 75
    advice = "choose another with --port, 0 for a free one"


def listen(host: str, port: int, backlog: int) -> socket.socket:
    """Take address and port; so many connections may wait for an answer. Raises ListenError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
        found.listen(backlog)
    except (OSError, OverflowError) as error:
        found.close()
        raise ListenError(f"can't listen on {host} port {port}: {error.args[-1]}") from error
    return found


class Server(uvicorn.Server):
    """A server that leaves signals as they were: a program has things to close after it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at SIGINT and SIGTERM, where this is the main thread."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
