"""The helper process that makes a snapshot out of a copy of the rows: `python -m ... FOLDER`.

What is wanted comes over its standard input; when that ends, the node has, and so does this. It
touches nothing but the folder, which has no name that counts until the node gives it one, so it may
die at any moment.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from tongbao.engines.cometbft.statesync.writing import Writing
from tongbao.kernel.state import after_prefix
from tongbao.store.errors import StoreError
from tongbao.store.helper import frames
from tongbao.store.snapshot.buckets import Buckets, digits_for
from tongbao.store.snapshot.chunks import CHUNK_BYTES, Chunk, root_of
from tongbao.store.snapshot.errors import BadSnapshot
from tongbao.store.snapshot.manifest import FORMAT, Manifest, write_manifest
from tongbao.store.snapshot.names import CHUNKS, MANIFEST, chunk_name
from tongbao.store.state import State

WORK: Final = "work"
COPY: Final = "state"
"""Within `work/`: the copied rows."""
DONE: Final = b"done"
ORDER_BYTES: Final = 1024 * 1024
NICENESS: Final = 10
"""The processor is for blocks first."""


class Order(Struct, frozen=True, forbid_unknown_fields=True):
    """The snapshot that is wanted: of which block, and under which tables' prefixes rows count."""

    chain: str
    genesis: bytes
    height: int
    header: bytes
    root: bytes
    tables: tuple[bytes, ...]
    chunk_bytes: int = CHUNK_BYTES


def cut_snapshot(folder: Path, order: Order, writing: Writing) -> None:
    """Write chunks and manifest of the rows in `work/`, which is removed.

    Raises BadSnapshot where they are not those of the header, StoreError, OSError.
    """
    buckets = _parted(folder / WORK, order)
    chunks: list[Chunk] = []
    writing.folder(folder / CHUNKS)
    for chunk, data in buckets.chunks(order.chunk_bytes):
        writing.file(folder / CHUNKS / chunk_name(chunk), (data,))
        chunks.append(chunk)
    writing.sync(folder / CHUNKS)
    root = root_of(chunks, order.chunk_bytes)
    if root != order.root:
        raise BadSnapshot(
            f"the rows of block {order.height} have root {root.hex()}, not {order.root.hex()}: "
            "stop the node and ask `tongbao doctor`"
        )
    manifest = Manifest(
        format=FORMAT,
        chain=order.chain,
        genesis=order.genesis,
        height=order.height,
        header=order.header,
        root=root,
        chunks=tuple(chunks),
    )
    writing.file(folder / MANIFEST, (write_manifest(manifest),))
    writing.remove(folder / WORK)
    writing.sync(folder)


def _parted(work: Path, order: Order) -> Buckets:
    """The hashed rows in files, each of a part of the trie."""
    state = State(work / COPY, order.chain)
    try:
        if state.height != order.height:
            raise BadSnapshot(f"the copy is of block {state.height}, not {order.height}")
        size = (work / COPY / "data.mdb").stat().st_size
        buckets = Buckets(work / "buckets", digits_for(size))
        for prefix in order.tables:
            for key, value in state.scan(prefix, after_prefix(prefix)):
                buckets.add(key, value)
        buckets.close()
        return buckets
    finally:
        state.close()


def main() -> None:
    """Do it, and answer `DONE`, or what went wrong."""
    os.nice(NICENESS)
    asked = frames(sys.stdin.buffer, ORDER_BYTES)
    order = msgspec.json.decode(next(asked), type=Order)
    threading.Thread(target=_end_with, args=(asked,), daemon=True).start()
    try:
        cut_snapshot(Path(sys.argv[1]), order, Writing())
    except (StoreError, OSError) as error:
        sys.stdout.buffer.write(str(error).encode())
    else:
        sys.stdout.buffer.write(DONE)
    sys.stdout.buffer.flush()
    os._exit(0)  # the thread holds the standard input


def _end_with(asked: Iterator[bytes]) -> None:
    """End as soon as nobody can ask any more."""
    for _ in asked:
        continue
    os._exit(1)


if __name__ == "__main__":
    main()
