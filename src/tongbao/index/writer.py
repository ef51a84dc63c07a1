"""Another process that adds blocks to an index, on another core than the one that decides.

`python -m tongbao.index.writer PATH CHAIN` reads batches of records from standard input and
answers each, once it is in the file, with the height that the index has then. It is started by
the first large batch. Whatever goes wrong ends it: the batch is then added by who asked, who meets
the same trouble, or none.
"""

from __future__ import annotations

import logging
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import IO, Final

import msgspec

from tongbao.index.adding import add_blocks
from tongbao.index.embedded import written
from tongbao.index.file import open_beside
from tongbao.store.errors import StoreError
from tongbao.store.helper import Helper, frames
from tongbao.store.record import BlockRecord

log = logging.getLogger("tongbao.index")

HEIGHT_BYTES: Final = 8
BATCH_LIMIT: Final = 1 << 30
SMALLEST_BATCH: Final = 100
"""Transactions below which a batch is added here: the way to another process costs more."""

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[BlockRecord]).decode


class Writer:
    """Adds large batches to the index at a path elsewhere; None where they are to be added here."""

    def __init__(self, path: Path | None, chain: str) -> None:
        """Nothing is started yet."""
        self._arguments = (str(path), chain) if path else ()
        self._helper: Helper | None = None

    def add(self, records: Sequence[BlockRecord]) -> bool:
        """Add blocks elsewhere; False when that was not done, or nobody knows."""
        if not self._arguments or sum(len(one.transactions) for one in records) < SMALLEST_BATCH:
            return False
        try:
            if self._helper is None:
                self._helper = Helper("tongbao.index.writer", *self._arguments)
            self._helper.ask(_encode(records))
            answer = self._helper.answer(HEIGHT_BYTES)
        except OSError:
            answer = b""
        if answer == records[-1].height.to_bytes(HEIGHT_BYTES, "big"):
            return True
        log.warning("index: the process that adds to it has ended; this one does until it is back")
        self.close()
        return False

    def close(self) -> None:
        """End the process, so that nobody has the file open. May be called again."""
        helper, self._helper = self._helper, None
        if helper is not None:
            helper.close()


def serve(index: sqlite3.Connection, source: IO[bytes], target: IO[bytes]) -> None:
    """Add batches until the source ends, or nobody listens any more."""
    for frame in frames(source, BATCH_LIMIT):
        records = _decode(frame)
        with written(index) as session:
            add_blocks(session, records)
        target.write(records[-1].height.to_bytes(HEIGHT_BYTES, "big"))
        target.flush()


def main() -> int:
    """Serve; 74 when the index can't be written, which the asker finds out for itself."""
    try:
        with closing(open_beside(Path(sys.argv[1]), sys.argv[2])) as index:
            serve(index, sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        sys.stderr.close()  # the node was killed: there is nobody to tell
    except (sqlite3.Error, OSError, StoreError, msgspec.DecodeError):
        return StoreError.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
