"""A process that writes a folder as it is told: `python -m tests.store.told_writer FOLDER`.

Its files have one block each where the height is odd. It reads `append`, `flush` and `grow`, one a
line, and answers each with its height; `grow` writes more than the map of before has room for.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.store.blocks import CHAIN, block
from tests.store.folders import Clock
from tongbao.store.store import Store

SMALL_SEGMENT = 600
LARGE = 400_000
MANY = 12


def main() -> None:
    """Do what is said until the input ends."""
    folder = Path(sys.argv[1])
    folder.mkdir()
    with Store.open(
        folder, CHAIN, clock=Clock(), map_bytes=1 << 20, segment_bytes=SMALL_SEGMENT
    ) as store:
        for line in sys.stdin:
            what = line.strip()
            for _ in range(MANY if what == "grow" else 1):
                if what != "flush":
                    store.append(block(store.height + 1, LARGE if what == "grow" else 40))
                if what != "append":
                    store.maintain(idle=True)
            print(store.height, flush=True)


if __name__ == "__main__":
    main()
