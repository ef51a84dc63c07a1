"""Frames of the ABCI socket: the length as an unsigned varint, then that many bytes."""

from __future__ import annotations

from tongbao.engines.cometbft.wire import WireError, read_varint, write_varint

LENGTH_BYTES = 10
"""The most that a length takes; a longer one is wrong whatever follows."""


def frame(content: bytes) -> bytes:
    """Bytes with their length in front."""
    return write_varint(len(content)) + content


class Frames:
    """Cuts what arrives into frames, however it was torn on its way."""

    def __init__(self, limit: int) -> None:
        """Take frames of at most `limit` bytes."""
        self._limit = limit
        self._data = bytearray()
        self._at = 0

    def feed(self, data: bytes) -> None:
        """Add what has arrived."""
        del self._data[: self._at]
        self._at = 0
        self._data += data

    def next(self) -> bytes | None:
        """The next whole frame, or None until more arrives.

        Raises WireError when a frame says that it is longer than the limit: before its bytes are
        there, so that nobody fills the memory by announcing.
        """
        data, at = self._data, self._at
        if len(data) - at >= 2 and data[at + 1] < 0x80 <= data[at]:  # most: 128 to 16,383 bytes
            length, start = data[at] & 0x7F | data[at + 1] << 7, at + 2
        else:
            head = bytes(data[at : at + LENGTH_BYTES])
            if len(head) < LENGTH_BYTES and not any(byte < 0x80 for byte in head):
                return None
            length, used = read_varint(head, 0, len(head))
            start = at + used
        if length > self._limit:
            raise WireError(f"a frame of {length} bytes; {self._limit} at most")
        if len(data) - start < length:
            return None
        self._at = start + length
        with memoryview(data) as view:
            return bytes(view[start : self._at])

    @property
    def waiting_bytes(self) -> int:
        """How much of a frame that is not whole yet is held."""
        return len(self._data) - self._at
