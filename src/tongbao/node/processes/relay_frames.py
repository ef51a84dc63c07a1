"""What a front and the processes that answer reads say to each other, and how it is framed.

A frame is a length of four bytes, big endian, and a MessagePack array that begins with its kind.
Both ends are of one node and one version: a frame that can't be read is a bug or a broken process,
and ends the connection.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import Final, cast

import msgspec
from msgspec import Struct

from tongbao.sdk.beside import Queue

LENGTH_BYTES: Final = 4
FRAME_LIMIT: Final = 256 * 1024 * 1024
PART_BYTES: Final = 65_536
WHOLE_BYTES: Final = 1_048_576
"""An answer up to this goes in one frame, so that nobody is left with half of it."""
WINDOW: Final = 8
"""Parts of an answer that may be under way before somebody has taken the first."""

RawHeaders = tuple[tuple[bytes, bytes], ...]


class Asked(Struct, frozen=True, array_like=True, tag=0, gc=False):
    """A request, whole; `least` is the height that its answer must have, -1 for any.

    `queue` is what the front says of its queue.
    """

    number: int
    method: str
    path: str
    query: bytes
    headers: RawHeaders
    body: bytes
    least: int = -1
    queue: Queue = Queue()


class Begun(Struct, frozen=True, array_like=True, tag=1, gc=False):
    """The head of an answer, and its body where that is whole."""

    number: int
    status: int
    headers: RawHeaders
    body: bytes
    is_whole: bool


class Part(Struct, frozen=True, array_like=True, tag=2, gc=False):
    """Some of an answer's body."""

    number: int
    body: bytes
    is_last: bool


class Taken(Struct, frozen=True, array_like=True, tag=3, gc=False):
    """One part was taken by whoever asked: another may come."""

    number: int


class Ended(Struct, frozen=True, array_like=True, tag=4, gc=False):
    """Whoever asked has gone, or whoever answers has broken off."""

    number: int


Frame = Asked | Begun | Part | Taken | Ended

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Frame).decode


class Talking(asyncio.Protocol, ABC):
    """One end of a connection that carries frames."""

    def __init__(self) -> None:
        """Not connected yet."""
        self._rest = b""
        self._transport: asyncio.Transport | None = None
        self._may_write = asyncio.Event()
        self._may_write.set()

    @property
    def is_open(self) -> bool:
        """Whether what is sent may arrive."""
        return self._transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def connection_lost(self, error: Exception | None) -> None:
        """Nothing arrives any more."""
        self._transport = None
        self._may_write.set()
        self.lost()

    def pause_writing(self) -> None:
        """The other end reads more slowly than this one writes."""
        self._may_write.clear()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._may_write.set()

    async def drained(self) -> None:
        """Wait until the other end takes more."""
        await self._may_write.wait()

    def say(self, frame: Frame) -> None:
        """Send a frame; nothing where the connection has ended."""
        if self._transport is not None:
            body = _encode(frame)
            self._transport.write(len(body).to_bytes(LENGTH_BYTES, "big") + body)

    def data_received(self, data: bytes) -> None:
        """Take frames apart."""
        data = self._rest + data if self._rest else bytes(data)
        view = memoryview(data)
        at = 0
        try:
            while (end := at + LENGTH_BYTES) <= len(data):
                length = int.from_bytes(view[at:end], "big")
                if length > FRAME_LIMIT:
                    raise msgspec.DecodeError(f"a frame of {length} bytes")
                if end + length > len(data):
                    break
                at = end + length
                self.heard(_decode(view[end:at]))
        except msgspec.DecodeError:
            self.close()
        self._rest = data[at:]

    def close(self) -> None:
        """End the connection. May be called again."""
        if self._transport is not None:
            self._transport.abort()

    @abstractmethod
    def heard(self, frame: Frame) -> None:
        """A frame has come."""

    @abstractmethod
    def lost(self) -> None:
        """The connection has ended."""
