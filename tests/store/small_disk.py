"""A program that fills a real, very small disk, makes room, and goes on.

`unshare -rm python small_disk.py FOLDER` lays a file system of 8 MB over FOLDER, where only this
process sees it. Exit code 0: nothing was lost; 69: this machine lets nobody mount.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.store.blocks import CHAIN, block, rows_after
from tongbao.store.errors import DiskFull
from tongbao.store.store import Store

CANNOT_MOUNT = 69
SIZE = "size=8m"
BALLAST = 3_000_000
ROW = 20_000
END = b"\xff"


def fill(store: Store) -> None:
    """Append blocks until the disk is full; rows follow as far as they can."""
    while True:
        try:
            store.append(block(store.height + 1, ROW))
        except DiskFull as error:
            print(f"full after block {store.height}: {error}")
            return
        store.maintain(idle=True)


def lag(store: Store, filler: Path) -> None:
    """Rows that there is no space for stay behind the log, and follow once there is."""
    before = store.height
    store.append(block(before + 1, ROW))
    with filler.open("wb", buffering=0) as file:
        while True:
            try:
                file.write(bytes(4096))
            except OSError:
                break
    assert store.maintain(idle=True) is None
    assert list(store.scan(b"", END)) == rows_after(before, ROW)
    assert store.last == block(before + 1, ROW)
    filler.unlink()
    assert store.maintain(idle=True) == before + 1
    check(store, before + 1)


def check(store: Store, height: int) -> None:
    """Every block up to a height is there, and every row of them."""
    assert store.height == height, store.height
    assert [store.block(at) for at in range(height + 1)] == [
        block(at, ROW) for at in range(height + 1)
    ]
    assert list(store.scan(b"", END)) == rows_after(height, ROW)


def main(folder: Path) -> int:
    """Fill, make room, go on, open again."""
    mount = ["mount", "-t", "tmpfs", "-o", SIZE, "tmpfs", str(folder)]
    if subprocess.run(mount, check=False).returncode != 0:
        return CANNOT_MOUNT
    ballast = folder / "ballast"
    ballast.write_bytes(bytes(BALLAST))
    with Store.open(folder, CHAIN) as store:
        fill(store)
        full = store.height
        assert full > 0
        fill(store)
        ballast.unlink()
        store.append(block(store.height + 1, ROW))
        assert store.maintain(idle=True) == store.height > full
        lag(store, folder / "filler")
        fill(store)
        height = store.height
        store.maintain(idle=True)
    (folder / "headers").unlink()
    try:
        Store.open(folder, CHAIN).close()
    except DiskFull as error:
        print(f"full at the start: {error}")
    subprocess.run(["mount", "-o", "remount,size=16m", str(folder)], check=True)
    with Store.open(folder, CHAIN) as store:
        check(store, height)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
