"""A program whose feeder meets a full, real disk, and comes to the end once there is room.

`unshare -rm python full_disk.py FOLDER` lays a file system of 1 MB over FOLDER, where only this
process sees it. Exit code 0: it came to the end; 69: this machine lets nobody mount.
"""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.fixed_chain import FixedChain
from tests.small_mount import CANNOT_MOUNT, fill, mount
from tongbao.index.feeder import Feeder
from tongbao.index.history import Index

BLOCKS = 200
PATIENCE_S = 60


class Heard(logging.Handler):
    """Knows when two attempts have failed."""

    def __init__(self) -> None:
        """Nothing yet."""
        super().__init__()
        self.told = 0
        self.event = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        """Now something was logged."""
        print(record.levelname, record.getMessage())
        self.told += 1
        if self.told == 2:
            self.event.set()


def main(folder: Path) -> int:
    """Fill the disk, feed, make room."""
    if not mount(folder, "1m"):
        return CANNOT_MOUNT
    heard = Heard()
    logging.getLogger("tongbao.index").addHandler(heard)
    logging.getLogger("tongbao.index").setLevel(logging.DEBUG)
    fixed = FixedChain()
    for _ in range(BLOCKS):
        fixed.make(fixed.pay("0.01"))
    done = threading.Event()
    with Index.open(folder / "index.sqlite", fixed.producer.machine.chain) as index:
        filler = folder / "filler"
        fill(filler)
        feeder = Feeder(
            index,
            fixed.reading(),
            lambda height: done.set() if height == fixed.store.height else None,
        )
        feeder.start()
        assert heard.event.wait(PATIENCE_S), "a full disk was not told"
        assert not done.is_set()
        filler.unlink()
        assert done.wait(PATIENCE_S), "it did not come to the end"
        feeder.stop()
        assert index.height == fixed.store.height
        assert len(index.movements_of(fixed.shop, limit=1_000).movements) == BLOCKS
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
