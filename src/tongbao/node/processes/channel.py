"""Small messages between two processes of a node, and file descriptors with them.

A channel is a pair of Unix sockets that keep the borders of messages (SOCK_SEQPACKET). Each message
is one tagged struct. Only small ones go this way, and only as many as have been answered for: what
is large goes through a `Ring`, so that a send never waits for the other side to read.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import termios
from collections.abc import Sequence
from typing import Final, Generic, TypeVar

import msgspec

T = TypeVar("T")

MESSAGE_BYTES: Final = 65_536
DESCRIPTORS: Final = 8

_INT: Final = struct.Struct("i")
_encoder: Final = msgspec.msgpack.Encoder()


class ChannelClosed(Exception):
    """The process on the other side has ended."""


def pair() -> tuple[socket.socket, socket.socket]:
    """The two ends of a new channel."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


class Channel(Generic[T]):
    """One end of a channel; `kinds` is the union of what the other side may say."""

    def __init__(self, end: socket.socket, kinds: object) -> None:
        """Speak over an end of `pair`."""
        self.socket = end
        self._decoder: msgspec.msgpack.Decoder[T] = msgspec.msgpack.Decoder(kinds)

    def send(self, message: msgspec.Struct, descriptors: Sequence[int] = ()) -> None:
        """Say something, and hand over copies of file descriptors. Raises ChannelClosed."""
        data = _encoder.encode(message)
        assert len(data) <= MESSAGE_BYTES, "what is large goes through a ring"
        try:
            if descriptors:
                socket.send_fds(self.socket, [data], list(descriptors))
            else:
                self.socket.send(data)
        except (BrokenPipeError, ConnectionResetError, ConnectionRefusedError) as error:
            raise ChannelClosed from error

    def send_now(self, message: msgspec.Struct) -> None:
        """Say something that may be left out. Raises BlockingIOError where it would have to wait.

        Raises ChannelClosed.
        """
        try:
            self.socket.send(_encoder.encode(message), socket.MSG_DONTWAIT)
        except (BrokenPipeError, ConnectionResetError, ConnectionRefusedError) as error:
            raise ChannelClosed from error

    @property
    def unread(self) -> int:
        """How many bytes, with what they cost, the other side has not read (Linux, SIOCOUTQ).

        Raises ChannelClosed.
        """
        try:
            found = fcntl.ioctl(self.socket, termios.TIOCOUTQ, bytes(_INT.size))
        except (OSError, ValueError) as error:  # closed here meanwhile
            raise ChannelClosed from error
        return int(_INT.unpack(found)[0])

    def receive(self) -> tuple[T, list[int]]:
        """What the other side says next, and the descriptors that came with it.

        Raises ChannelClosed, and BlockingIOError on a socket that does not block.
        """
        try:
            data, descriptors, _, _ = socket.recv_fds(self.socket, MESSAGE_BYTES, DESCRIPTORS)
        except ConnectionResetError as error:
            raise ChannelClosed from error
        if not data:
            raise ChannelClosed
        return self._decoder.decode(data), descriptors

    def close(self) -> None:
        """Hang up."""
        self.socket.close()
