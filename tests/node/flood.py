"""Many requests and streams at once over bare sockets, from one event loop."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

STATUS: Final = re.compile(rb"HTTP/1\.1 (\d{3}) ")
SECONDS: Final = 300


def request(path: str, body: bytes | None = None, *headers: str) -> bytes:
    """A request as it goes over the wire: GET, or POST where there is a body."""
    lines = [f"{'GET' if body is None else 'POST'} {path} HTTP/1.1", "Host: localhost", *headers]
    if body is not None:
        lines += ["Content-Type: application/jose", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


async def opened(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to a node."""
    host, _, port = address.removeprefix("http://").rpartition(":")
    return await asyncio.open_connection(host, int(port))


async def _pipeline(address: str, requests: Sequence[bytes], depth: int) -> Counter[int]:
    """Send requests over one connection, `depth` at a time, and count the answers by status."""
    reader, writer = await opened(address)
    found: Counter[int] = Counter()
    for at in range(0, len(requests), depth):
        sent = requests[at : at + depth]
        writer.write(b"".join(sent))
        await writer.drain()
        missing, left = len(sent), b""
        while missing:
            part = await reader.read(262_144)
            assert part, "the node has hung up"
            left += part
            codes = STATUS.findall(left)
            found.update(map(int, codes))
            missing -= len(codes)
            left = left[-12:] if not STATUS.search(left[-12:]) else b""
    writer.close()
    await writer.wait_closed()
    return found


async def flood(
    address: str, requests: Sequence[bytes], *, connections: int, depth: int
) -> Counter[int]:
    """Send all requests over some connections; how many answers had each status."""
    parts = [requests[place::connections] for place in range(connections)]
    async with asyncio.timeout(SECONDS):
        counts = await asyncio.gather(*[_pipeline(address, part, depth) for part in parts])
    return sum(counts, Counter())


class Listeners:
    """Event streams that wait."""

    def __init__(self, address: str) -> None:
        """None yet."""
        self._address = address
        self._open: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def more(self, count: int) -> None:
        """Open some, and wait until each has begun."""
        gate = asyncio.Semaphore(100)

        async def one() -> None:
            async with gate:
                reader, writer = await opened(self._address)
                writer.write(request("/v1/events"))
                await reader.readuntil(b"retry: 1000\n\n")
                self._open.append((reader, writer))

        async with asyncio.timeout(SECONDS):
            await asyncio.gather(*[one() for _ in range(count)])

    async def next_ids(self) -> list[bytes]:
        """The `id` line of the next event of each."""

        async def one(reader: asyncio.StreamReader) -> bytes:
            while not (line := await reader.readline()).startswith(b"id: "):
                assert line, "the stream has ended"
            return line.strip()

        async with asyncio.timeout(SECONDS):
            return await asyncio.gather(*[one(reader) for reader, _ in self._open])

    async def close(self) -> None:
        """Hang up on all of them."""
        for _, writer in self._open:
            writer.close()
        await asyncio.gather(*[writer.wait_closed() for _, writer in self._open])
