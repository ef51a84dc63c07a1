"""A helper process of this program: asked and answering over its pipes, and ended with them.

It is started by hand rather than by multiprocessing, so that programs which embed a chain need no
`__main__` guard. What it is asked comes in frames: a length of eight bytes, big endian, and bytes.
`engines/verifier.py` has pipes of its own: what verifies imports nothing of a store.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import IO, Final

log = logging.getLogger("tongbao.store")

LENGTH_BYTES: Final = 8


class Helper:
    """`python -m MODULE ARGUMENTS...`, on another core where there is one. Raises OSError."""

    def __init__(self, module: str, *arguments: str) -> None:
        """Start it."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the node; this one ends with its pipe
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self._asked: IO[bytes] = self.process.stdin
        self._answers: IO[bytes] = self.process.stdout

    def ask(self, data: bytes) -> None:
        """Send one frame. Raises OSError."""
        self._asked.write(len(data).to_bytes(LENGTH_BYTES, "big") + data)
        self._asked.flush()

    def answer(self, size: int = -1) -> bytes:
        """So many bytes of what it answers, fewer where it has ended; all until its end for -1."""
        return self._answers.read(size)

    def close(self) -> None:
        """End it, whatever it is about."""
        self.process.kill()
        self.process.wait()
        self._answers.close()
        try:
            self._asked.close()
        except BrokenPipeError:
            log.debug("a helper process had ended already")


def frames(source: IO[bytes], limit: int) -> Iterator[bytes]:
    """In the helper: what it is asked, until nobody asks any more. No frame is above `limit`."""
    while len(head := source.read(LENGTH_BYTES)) == LENGTH_BYTES:
        length = int.from_bytes(head, "big")
        assert length <= limit
        yield source.read(length)
