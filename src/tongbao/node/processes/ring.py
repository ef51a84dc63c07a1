"""A ring of bytes in memory that two processes share: one of them writes, the other one reads.

The memory is a memfd: it has no name, nothing to unlink, and ends with the last process that has
it. Where the writer is and where the reader is goes over a socket beside it, in small messages, so
that neither of them ever waits in the middle of a large write for the other.
"""

from __future__ import annotations

import mmap
import os
from typing import Final

RING_BYTES: Final = 16 * 1024 * 1024
"""More than two blocks of transactions, or one transaction of the largest size that is allowed."""


class Ring:
    """Shared memory with a position that only grows; a byte's place is its position modulo size.

    Each side keeps the other's position as it was last told: `written` is the writer's, `read` the
    reader's.
    """

    def __init__(self, descriptor: int, size: int = RING_BYTES) -> None:
        """Map the memory of a file descriptor, which is closed: the mapping keeps it."""
        self._size = size
        try:
            self._memory = mmap.mmap(descriptor, size)
        finally:
            os.close(descriptor)
        self.written = 0
        self.read = 0

    @property
    def room(self) -> int:
        """How many bytes may be written now."""
        return self._size - (self.written - self.read)

    def write(self, data: bytes) -> int:
        """Put bytes behind the last ones; the position behind them, to be told to the reader."""
        assert len(data) <= self.room, "ask for the room before"
        begin = self.written % self._size
        first = min(len(data), self._size - begin)
        self._memory[begin : begin + first] = data[:first]
        if first < len(data):
            self._memory[: len(data) - first] = data[first:]
        self.written += len(data)
        return self.written

    def take(self, end: int) -> bytes:
        """The bytes up to a position that the writer has told; they may be written over then."""
        length = end - self.read
        assert 0 <= length <= self._size, "the writer is in another place"
        begin = self.read % self._size
        first = min(length, self._size - begin)
        data = self._memory[begin : begin + first]
        if first < length:
            data += self._memory[: length - first]
        self.read = self.written = end
        return data

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()


def new_memory(size: int = RING_BYTES) -> int:
    """A file descriptor of fresh shared memory. Raises OSError."""
    descriptor = os.memfd_create("tongbao-ring", os.MFD_CLOEXEC)
    os.ftruncate(descriptor, size)
    return descriptor
