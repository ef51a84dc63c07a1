"""Commands that meet a full, real disk, and are given again once there is room.

`unshare -rm python small_disk_commands.py STORY FOLDER` lays a file system of 16 MB over FOLDER,
where only this process and its children see it. Exit code 69: this machine lets nobody mount.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.node.process import ENVIRONMENT, lay
from tests.small_mount import BLOCK_BYTES, CANNOT_MOUNT, fill, mount

DISK_FULL: Final = 73
LEFT: Final = (0, 1, 2, 5, 15, 19)
"""Blocks of the disk that are free when a command is given."""


def tongbao(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    program = str(Path(sys.executable).with_name("tongbao"))
    return subprocess.run(
        [program, *arguments], env=ENVIRONMENT, capture_output=True, text=True, check=False
    )


def told(ended: subprocess.CompletedProcess[str]) -> None:
    """It says in two lines that there is no space, and its exit code agrees."""
    assert ended.returncode == DISK_FULL, (ended.returncode, ended.stderr)
    assert "no space" in ended.stderr, ended.stderr
    assert "do: make room and send it again" in ended.stderr, ended.stderr
    assert "Traceback" not in ended.stderr, ended.stderr


def begin(folder: Path) -> None:
    """`init` leaves nothing behind where there is no space, and works once there is."""
    chain, filler = folder / "chain", folder / "filler"
    for left in LEFT:
        fill(filler, but=left * BLOCK_BYTES)
        told(tongbao("init", "--folder", str(chain)))
        assert [path.name for path in folder.iterdir()] == [filler.name]
        filler.unlink()
    ended = tongbao("init", "--folder", str(chain))
    assert ended.returncode == 0, ended.stderr


def account(folder: Path) -> None:
    """`account create` on a full disk can be given again, and the account is one."""
    chain, filler = lay(folder / "chain").folder, folder / "filler"
    for left in LEFT:
        name = f"person-{left}"
        command = ("account", "create", name, "--folder", str(chain))
        fill(filler, but=left * BLOCK_BYTES)
        first = tongbao(*command)
        filler.unlink()
        if first.returncode == 0:
            continue
        told(first)
        second = tongbao(*command)
        assert second.returncode == 0, second.stderr
    ended = tongbao("audit", "--folder", str(chain))
    assert ended.returncode == 0, ended.stderr


def sparse(folder: Path) -> None:
    """A folder that was copied with holes is opened on a full disk: told, and no signal."""
    chain, copy = lay(folder / "chain").folder, folder / "copy"
    subprocess.run(["cp", "-r", "--sparse=always", str(chain), str(copy)], check=True)
    fill(folder / "filler")
    told(tongbao("status", "--folder", str(copy)))
    (folder / "filler").unlink()
    ended = tongbao("status", "--folder", str(copy))
    assert ended.returncode == 0, ended.stderr


def doctor(folder: Path) -> None:
    """The doctor says that there is no space, and needs none itself."""
    chain = lay(folder / "chain").folder
    fill(folder / "filler")
    ended = tongbao("doctor", "--folder", str(chain))
    assert ended.returncode == DISK_FULL, (ended.returncode, ended.stderr)
    assert ended.stdout.splitlines()[-1] == "doctor: 1 finding broken: space", ended.stdout
    assert "make room, no block fits" in ended.stdout, ended.stdout


STORIES: Final = {"account": account, "begin": begin, "doctor": doctor, "sparse": sparse}


def main(story: str, folder: Path) -> int:
    """Mount, and play a story."""
    if not mount(folder, "16m"):
        return CANNOT_MOUNT
    STORIES[story](folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
