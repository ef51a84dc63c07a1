"""A program that kills backups and restores at each of their changes of the disk, one by one.

`FIRST SECOND FOLDER`: two stages of one chain, and a folder to work in. It prints a line for each
job: how often it was killed until it ended by itself. Backups are stopped by Ctrl-C, too, which
lets them put right what they have begun.
"""

from __future__ import annotations

import shutil
import signal
import sys
from functools import partial
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.sdk.killed_at import killed_at
from tests.store.blocks import files_of
from tongbao.sdk.backup import back_up, verify
from tongbao.sdk.restore import restore


def log_of(folder: Path) -> dict[str, bytes]:
    """The files of a log, and nothing else."""
    return files_of(folder / "log")


def begin(chain: Path, folder: Path, by: signal.Signals) -> int:
    """The first backup: it is whole or not there, and the next run ends it."""
    for kills in count():
        target = folder / f"begun-{kills}"
        if not killed_at(kills, partial(back_up, chain, target), by):
            return kills
        if target.exists():
            verify(target)
        back_up(chain, target)
        verify(target)
        assert log_of(target) == log_of(chain)
        assert not target.with_name(f"{target.name}.new").exists()
        shutil.rmtree(target)
    raise AssertionError("it never ends")


def extend(first: Path, second: Path, folder: Path, by: signal.Signals) -> int:
    """A later backup, with a snapshot: what it had is whole, and the next run ends it."""
    had = back_up(first, folder / "had").height
    for kills in count():
        target = Path(shutil.copytree(folder / "had", folder / f"extended-{kills}"))
        if not killed_at(kills, partial(back_up, second, target, with_snapshot=True), by):
            return kills
        assert verify(target).height >= had
        back_up(second, target)
        verify(target)
        assert log_of(target) == log_of(second)
        assert not [path for path in target.iterdir() if path.name in ("base", "base.new")]
        shutil.rmtree(target)
    raise AssertionError("it never ends")


def bring_back(chain: Path, folder: Path) -> int:
    """A restore: it is whole or not there, and the next run makes it."""
    backup = folder / "backup"
    back_up(chain, backup)
    for kills in count(step=5):
        target = folder / f"restored-{kills}"
        if not killed_at(kills, partial(restore, backup, target)):
            return kills // 5
        if not target.exists():
            restore(backup, target)
        assert log_of(target) == log_of(chain)
        assert (target / "state").exists()
        shutil.rmtree(target)
    raise AssertionError("it never ends")


def main(first: Path, second: Path, folder: Path) -> None:
    """Kill each job everywhere."""
    for by, how in ((signal.SIGKILL, "killed"), (signal.SIGINT, "stopped")):
        work = folder / how
        work.mkdir()
        print(f"begun-{how}", begin(first, work, by))
        print(f"extended-{how}", extend(first, second, work, by))
    print("restored", bring_back(second, folder))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
