"""A node in this process, on a real socket: its chain, its address, a client."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import msgspec
import pytest

from tests.fixed_chain import BEGIN, FixedChain
from tongbao.engines.solo import Options
from tongbao.index.history import Index
from tongbao.node.access.callers import Callers, wall_clock_ms
from tongbao.node.access.recorder import Recorder
from tongbao.node.server import address_of, listen_at, serve, server_of
from tongbao.node.settings import Settings
from tongbao.sdk.http import HttpChain
from tongbao.sdk.local import Chain

Recording = Callable[[Settings], Recorder]
"""What makes a node's recorder of what supervisors read."""


class Served:
    """A chain behind a node."""

    def __init__(
        self, fixed: FixedChain, chain: Chain, address: str, trusted: ssl.SSLContext | None = None
    ) -> None:
        """Know where it is, and whom to believe that they are it where it speaks TLS."""
        self.fixed = fixed
        self.chain = chain
        self.address = address
        verify = True if trusted is None else trusted
        self.client = httpx2.Client(base_url=address, timeout=30, verify=verify)

    def connect(self) -> socket.socket:
        """A bare connection."""
        host, _, port = self.address.partition("//")[2].rpartition(":")
        return socket.create_connection((host, int(port)), timeout=30)

    def send(self, wire: bytes, **query: str) -> httpx2.Response:
        """Submit one compact transaction."""
        headers = {"content-type": "application/jose"}
        return self.client.post("/v1/transactions", content=wire, headers=headers, params=query)


@contextmanager
def serving(
    options: Options | None = None,
    index_kind: type[Index] = Index,
    keys: Path | None = None,
    trusted: ssl.SSLContext | None = None,
    now_ms: Callable[[], int] = wall_clock_ms,
    **settings: object,
) -> Iterator[Served]:
    """Serve a fixed chain with these settings, on a free port, until the `with` statement ends.

    `keys` is its file of API keys, `trusted` whom its client believes, `now_ms` the clock
    by which it knows callers.
    """
    fixed = FixedChain()
    with (
        fixed.running(lambda: BEGIN + 60_000, options) as chain,
        serving_chain(fixed, chain, index_kind, keys, trusted, now_ms, None, **settings) as served,
    ):
        yield served


@contextmanager
def serving_chain(
    fixed: FixedChain,
    chain: Chain,
    index_kind: type[Index] = Index,
    keys: Path | None = None,
    trusted: ssl.SSLContext | None = None,
    now_ms: Callable[[], int] = wall_clock_ms,
    recording: Recording | None = None,
    **settings: object,
) -> Iterator[Served]:
    """Serve a chain that runs already, and goes on running when the node ends."""
    told = msgspec.convert({"port": 0, "log_level": "error", **settings}, Settings)
    with listen_at(told) as listening, index_kind.open(None, chain.id) as index:
        recorder = None if recording is None else recording(told)
        callers = Callers(told, chain.id, keys, now_ms=now_ms, recorder=recorder)
        server = server_of(chain, told, index if told.index == "sqlite" else None, callers)
        thread = threading.Thread(target=serve, args=(server, listening))
        thread.start()
        served = Served(fixed, chain, address_of(listening, told), trusted)
        try:
            assert served.client.get("/livez").text == "alive\n"
            yield served
        finally:
            served.client.close()
            server.should_exit = True
            thread.join()


@pytest.fixture
def served() -> Iterator[Served]:
    """A node with the usual settings."""
    with serving() as found:
        yield found


@pytest.fixture
def remote(served: Served) -> Iterator[HttpChain]:
    """A client of that node."""
    with HttpChain(served.address) as chain:
        yield chain
