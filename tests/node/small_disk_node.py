"""A node on a real, very small disk, which is full while it serves, or read-only when it starts.

`unshare -rm python small_disk_node.py STORY FOLDER` lays a file system over FOLDER, where only this
process and its children see it. Exit code 69: this machine lets nobody mount.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx2

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.node.process import Node, lay, owned, run_to_end, running

CANNOT_MOUNT: Final = 69
SIZE: Final = "size=64m"
TRIES: Final = 200
STORAGE_IS_FULL: Final = 507


def fill(path: Path) -> None:
    """Take all the space that is left."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4_096))
        except OSError:
            return


def full(folder: Path) -> None:
    """Reads go on while the disk is full; writes are refused, and taken again afterwards."""
    ground = lay(folder / "chain")
    with running(ground.folder) as node:
        assert node.send(ground.payment(0, 1)).status_code == 200
        filler = folder / "filler"
        fill(filler)
        nonce, refused = _pay_until_refused(node, ground.payment)
        assert refused.headers["content-type"] == "application/problem+json"
        assert int(refused.headers["retry-after"]) > 0, refused.headers
        before = owned(node, ground.shop)
        assert before == f"{(nonce - 1) / 100:.2f}"
        assert node.client.get("/livez").status_code == 200
        filler.unlink()
        again = node.send(ground.payment(0, nonce))
        assert again.status_code == 200, again.text
        assert owned(node, ground.shop) == f"{nonce / 100:.2f}"
        assert node.client.get("/readyz").json() == {"ready": True, "reasons": []}
        assert node.stop() == 0


def _pay_until_refused(
    node: Node, payment: Callable[[int, int], bytes]
) -> tuple[int, httpx2.Response]:
    """The first nonce that there was no space for, and the answer."""
    for nonce in range(2, TRIES):
        answer = node.send(payment(0, nonce))
        if answer.status_code == STORAGE_IS_FULL:
            return nonce, answer
        assert answer.status_code == 200, answer.text
    raise AssertionError("the disk is not full")


def read_only(folder: Path) -> None:
    """A folder that can't be written to is told before anything else happens."""
    ground = lay(folder / "chain")
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    ended = run_to_end(ground.folder, "--port", "0")
    assert ended.returncode == 74, ended
    assert "can't be written to" in ended.stderr, ended.stderr
    assert "check the folder" in ended.stderr, ended.stderr


STORIES: Final = {"full": full, "read-only": read_only}


def main(story: str, folder: Path) -> int:
    """Mount, and play a story."""
    mount = ["mount", "-t", "tmpfs", "-o", SIZE, "tmpfs", str(folder)]
    if subprocess.run(mount, check=False).returncode != 0:
        return CANNOT_MOUNT
    STORIES[story](folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
