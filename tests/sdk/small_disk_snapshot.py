"""A program that takes or imports a snapshot onto a small file system, as often as it takes.

`taken FOLDER MOUNTED`, or `imported SNAPSHOT MOUNTED`.

Run it in a name space of its own (`unshare -rm`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.small_mount import CANNOT_MOUNT, fill, mount
from tongbao.sdk.snapshot_import import import_snapshot
from tongbao.sdk.snapshots import take
from tongbao.store.errors import DiskFull

STEP = 8_192
"""So many more bytes are free at each try."""
WAYS: dict[str, Callable[[Path, Path], int]] = {
    "taken": lambda folder, target: take(folder, target).height,
    "imported": lambda snapshot, target: import_snapshot(snapshot, target).height,
}
"""By what is done: the height that comes of it."""


def main(way: str, source: Path, mounted: Path) -> int:
    """Print what came of each try, from no space at all to enough."""
    if not mount(mounted, "4m"):
        return CANNOT_MOUNT
    for free in count(0, STEP):
        fill(mounted / "filled", but=free)
        try:
            print(way, WAYS[way](source, mounted / "made"))
        except DiskFull:
            print("full", sorted(path.name for path in mounted.iterdir()))
        else:
            break
        (mounted / "filled").unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(Path, sys.argv[2:])))
