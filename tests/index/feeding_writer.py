"""A program that feeds an index from a log's blocks until it is killed or through.

`python feeding_writer.py BLOCKS PLACE CHAIN` reads records in MessagePack and feeds two of them to
the index at a place, for each line that it is sent; it prints the height after each.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import msgspec

from tongbao.index.history import Index
from tongbao.store.record import BlockRecord


def main(blocks: Path, name: str, chain: str) -> None:
    """Feed from where the index is."""
    records = msgspec.msgpack.decode(blocks.read_bytes(), type=list[BlockRecord])
    place = name if name.startswith("postgresql:") else Path(name)
    with Index.open(place, chain) as index:
        for _ in sys.stdin:
            first = index.height + 1
            index.add(records[first : first + 2])
            print(index.height, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
