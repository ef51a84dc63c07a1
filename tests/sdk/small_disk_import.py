"""A program that imports a snapshot onto a small file system: `SNAPSHOT MOUNTED`.

Run it in a name space of its own (`unshare -rm`).
"""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.small_mount import CANNOT_MOUNT, fill, mount
from tongbao.sdk.snapshot_import import import_snapshot
from tongbao.store.errors import DiskFull

STEP = 8_192
"""So many more bytes are free at each try."""


def main(snapshot: Path, mounted: Path) -> int:
    """Print what came of each try, from no space at all to enough."""
    if not mount(mounted, "4m"):
        return CANNOT_MOUNT
    for free in count(0, STEP):
        fill(mounted / "filled", but=free)
        try:
            print("imported", import_snapshot(snapshot, mounted / "chain").height)
        except DiskFull:
            print("full", sorted(path.name for path in mounted.iterdir()))
        else:
            break
        (mounted / "filled").unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
