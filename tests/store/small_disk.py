"""A program that fills a real, very small disk, makes room, and goes on.

`unshare -rm python small_disk.py FOLDER` lays a file system of 16 MB over FOLDER, where only this
process sees it. Exit code 0: nothing was lost; 69: this machine lets nobody mount.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.small_mount import CANNOT_MOUNT, mount
from tests.small_mount import fill as fill_up
from tests.store.blocks import CHAIN, block, rows_after
from tongbao.store.errors import DiskFull
from tongbao.store.store import Store

BALLAST = 6_000_000
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


def refused_for_rows(store: Store) -> None:
    """Blocks whose rows would have to wait in memory are not taken."""
    before = store.height
    with pytest.raises(DiskFull):
        store.append(block(before + 1, ROW))
    assert store.height == before and store.lack is not None


def lag(folder: Path) -> None:
    """Rows that there is no space for stay behind the log, and follow once there is."""
    folder.mkdir()
    filler = folder / "filler"
    big: tuple[tuple[bytes, bytes | None], ...] = ((b"big", bytes(500_000)),)
    with Store.open(folder, CHAIN) as store:
        store.append(block(0, ROW))
        store.maintain(idle=True)
        store.append(replace(block(1, ROW), rows=big))
        fill_up(filler)
        assert store.maintain(idle=True) is None
        refused_for_rows(store)
        assert not store.has_room()
        assert list(store.scan(b"", END)) == rows_after(0, ROW)
        filler.unlink()
        assert store.maintain(idle=True) == store.height == 1
        assert store.get(b"big") == bytes(500_000)
        assert store.lack is None and store.has_room()
        store.append(block(2, ROW))
        assert [entry.name for entry in folder.iterdir() if entry.name == "room"] == []
    shutil.rmtree(folder)


def check(store: Store, height: int) -> None:
    """Every block up to a height is there, and every row of them."""
    assert store.height == height, store.height
    assert [store.block(at) for at in range(height + 1)] == [
        block(at, ROW) for at in range(height + 1)
    ]
    assert list(store.scan(b"", END)) == rows_after(height, ROW)


def main(folder: Path) -> int:
    """Fill, make room, go on, open again."""
    if not mount(folder, "16m"):
        return CANNOT_MOUNT
    lag(folder / "lag")
    ballast = folder / "ballast"
    ballast.write_bytes(bytes(BALLAST))
    with Store.open(folder, CHAIN) as store:
        fill(store)
        full = store.height
        assert full > 0
        fill(store)
        ballast.unlink()
        store.maintain(idle=True)
        store.append(block(store.height + 1, ROW))
        assert store.maintain(idle=True) == store.height > full
        check(store, store.height)
        fill(store)
        height = store.height
        store.maintain(idle=True)
    (folder / "headers").unlink()
    try:
        Store.open(folder, CHAIN).close()
    except DiskFull as error:
        print(f"full at the start: {error}")
    subprocess.run(["mount", "-o", "remount,size=32m", str(folder)], check=True)
    with Store.open(folder, CHAIN) as store:
        check(store, height)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
