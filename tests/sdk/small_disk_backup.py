"""A program that backs up and restores on a small file system, until there is space.

`FIRST SECOND MOUNTED`: two stages of one chain. Run it in a name space of its own (`unshare -rm`).
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.small_mount import CANNOT_MOUNT, fill, mount
from tests.store.blocks import files_of
from tongbao.sdk.backup import back_up, verify
from tongbao.sdk.restore import restore
from tongbao.store.errors import DiskFull

STEP = 4_096
"""So many more bytes are free at each try."""


def try_with_more(mounted: Path, job: Callable[[], object], check: Callable[[], object]) -> int:
    """Try with more and more space; how often there was too little of it."""
    for tries in count():
        fill(mounted / "filled", but=tries * STEP)
        try:
            job()
        except DiskFull:
            check()
        else:
            return tries
        finally:
            (mounted / "filled").unlink()
    raise AssertionError("it never has space")


def main(first: Path, second: Path, mounted: Path) -> int:
    """Print how often each job found too little space."""
    if not mount(mounted, "4m"):
        return CANNOT_MOUNT
    backup = mounted / "backup"

    def is_empty() -> None:
        assert [path.name for path in mounted.iterdir()] == ["filled"]

    print("begun", try_with_more(mounted, lambda: back_up(first, backup), is_empty))
    before = files_of(backup / "log")
    after = files_of(second / "log")

    def is_whole() -> None:
        verify(backup)
        found = files_of(backup / "log")
        assert found.items() >= before.items()
        assert found.items() <= after.items()
        assert {path.name for path in backup.iterdir()} <= {
            *("backup.json", "genesis.json", "trust.json", "log")
        }

    extend = partial(back_up, second, backup, with_snapshot=True)
    print("extended", try_with_more(mounted, extend, is_whole))
    elsewhere = Path(shutil.move(backup, second.parent / "moved"))

    restored = mounted / "chain"
    print("restored", try_with_more(mounted, lambda: restore(elsewhere, restored), is_empty))
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
