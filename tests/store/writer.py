"""A program that appends blocks until it is killed, and says when each is durable.

`python writer.py FOLDER` prints the height of each block once `append` has returned.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.store.blocks import CHAIN, block
from tongbao.store.store import Store

SEGMENT_BYTES = 20_000


def main(folder: Path) -> None:
    """Append for ever; rows follow every third block."""
    with Store.open(folder, CHAIN, segment_bytes=SEGMENT_BYTES) as store:
        while True:
            height = store.height + 1
            store.append(block(height, size=300))
            print(height, flush=True)
            store.maintain(idle=height % 3 == 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
