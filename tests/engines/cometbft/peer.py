"""What CometBFT does on its side of the ABCI socket."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.engines.cometbft.gated import Gated
from tongbao.engines.cometbft.codec import decode_response, encode_request
from tongbao.engines.cometbft.connection import Limits
from tongbao.engines.cometbft.framing import frame
from tongbao.engines.cometbft.messages import Message
from tongbao.engines.cometbft.requests import RequestEcho
from tongbao.engines.cometbft.server import Server

SECONDS = 30


class Peer:
    """One connection to a server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak over a pair of streams."""
        self.reader, self.writer = reader, writer

    def send(self, *requests: Message) -> None:
        """Send requests in one write."""
        self.writer.write(b"".join(frame(encode_request(one)) for one in requests))

    async def answer(self) -> Message:
        """The next answer. Raises IncompleteReadError at the end."""
        length = shift = 0
        while True:
            byte = (await self.reader.readexactly(1))[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return decode_response(await self.reader.readexactly(length))

    async def answers(self, count: int) -> list[Message]:
        """The next answers."""
        return [await self.answer() for _ in range(count)]

    async def ask(self, request: Message) -> Message:
        """Send a request and wait for its answer."""
        self.send(request)
        return await self.answer()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Ask the server to echo until something holds: each echo is a turn of its loop."""
        while not holds():
            await self.ask(RequestEcho("turn"))


class Network:
    """A server with its application, and peers."""

    def __init__(self, server: Server, application: Gated, path: Path) -> None:
        """Keep all three."""
        self.server, self.application, self.path = server, application, path
        self._peers: list[Peer] = []

    async def peer(self) -> Peer:
        """One more connection."""
        peer = Peer(*await asyncio.open_unix_connection(str(self.path)))
        self._peers.append(peer)
        return peer

    def hang_up(self) -> None:
        """End all connections."""
        for peer in self._peers:
            peer.writer.close()


@asynccontextmanager
async def serving(limits: Limits | None = None) -> AsyncIterator[Network]:
    """A server that answers, closed at the end with all gates open."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "abci.sock"
        application = Gated()
        server = Server(application, path, limits)
        await server.start()
        network = Network(server, application, path)
        try:
            yield network
        finally:
            application.block.set()
            application.mempool.set()
            network.hang_up()
            await server.close()
            assert not path.exists()


def play(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a story to its end, within its time."""

    async def within() -> None:
        async with asyncio.timeout(SECONDS):
            await story()

    asyncio.run(within())
