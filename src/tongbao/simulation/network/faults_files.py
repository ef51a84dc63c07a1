"""Faults of files and disks: what is cut short, and no space. Of one node, never of more."""

from __future__ import annotations

import re
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Final

from tongbao.localnet.joining import state_sync
from tongbao.simulation.network.cluster import Wrong
from tongbao.simulation.network.scene import ANEW, BY_ITSELF, Scene

RECOVER_SECONDS: Final = 40.0
TRIED_OFTEN: Final = re.compile(r"started again in (\d+)")
TRIED_S: Final = 8
"""A CometBFT whose next start is so far away has been tried six times."""
ROOM_BYTES: Final = 24 * 1024 * 1024
FILL_BYTES: Final = 65_536
VOTES: Final = "priv_validator_state.json"
"""What a validator has signed: it is never taken away, or it might sign twice."""
KEPT: Final = ("cometbft", "cometbft.log", "genesis.json", "keys", "node.json", "trust.json")
"""What a node has that is laid anew; all else in its folder is made of blocks or of a snapshot."""


def truncated_log(scene: Scene, seconds: float) -> str:
    """The end of a node's own log is gone: it recovers, or refuses and is laid anew."""
    name = scene.one()
    return _truncated(scene, name, max((scene.cluster.folder / name / "log").iterdir()))


def truncated_wal(scene: Scene, seconds: float) -> str:
    """The end of CometBFT's write-ahead log is gone."""
    name = scene.one()
    return _truncated(scene, name, scene.cluster.folder / name / "cometbft/data/cs.wal/wal")


def truncated_store(scene: Scene, seconds: float) -> str:
    """The end of the last file of CometBFT's block store or state store is gone."""
    name = scene.one()
    store = scene.random.choice(("blockstore.db", "state.db"))
    folder = scene.cluster.folder / name / "cometbft/data" / store
    files = [each for each in folder.iterdir() if each.suffix in (".log", ".ldb")]
    return _truncated(scene, name, max(files, key=lambda each: each.stat().st_mtime_ns))


def _truncated(scene: Scene, name: str, path: Path) -> str:
    cluster = scene.cluster
    cluster.node(name).kill()
    size = path.stat().st_size
    left = scene.random.randrange(size + 1) if size else 0
    with path.open("r+b") as file:
        file.truncate(left)
    said = f"{name}: {path.name} cut from {size:,} to {left:,} bytes"
    cluster.start(name, until_ready=False)
    top = cluster.top()
    is_over = cluster.comes(lambda: _is_over(scene, name, top), RECOVER_SECONDS)
    if is_over and _goes_on(scene, name, top):
        scene.counts[BY_ITSELF] += 1
        return f"{said}; it recovered"
    refusal = _refusal(scene, name)
    way = lay_anew(scene, name)
    return f"{said}; it refused ({refusal}), was laid anew and {way}"


def _is_over(scene: Scene, name: str, top: int) -> bool:
    if not scene.cluster.node(name).is_running or _goes_on(scene, name, top):
        return True
    tries = TRIED_OFTEN.search(scene.cluster.why(name))
    return tries is not None and int(tries[1]) >= TRIED_S


def _goes_on(scene: Scene, name: str, top: int) -> bool:
    """Whether a node has a block that nobody had before: the highest may be its own, from its log,
    while its CometBFT can't start.
    """
    return scene.cluster.height(name) > top


def _refusal(scene: Scene, name: str) -> str:
    """Why a node does not go on, in its own words. Raises Wrong where it does not say."""
    node = scene.cluster.node(name)
    if node.is_running:
        why = scene.cluster.why(name)
        if not why:
            raise Wrong(f"{name} neither goes on nor says why:\n{node.log_tail()}")
        return why[:200]
    tail = [line for line in node.log_tail().splitlines() if line.strip()]
    if any(line.startswith("Traceback") for line in tail):
        raise Wrong(f"{name} ended with a bug of ours, not with an error:\n{node.log_tail()}")
    return " ".join(tail[-2:])[:200]


def lay_anew(scene: Scene, name: str) -> str:
    """Take away all that a node had but its keys and what it has signed, and let it join again.

    Block by block, or by a snapshot: says which.
    """
    cluster = scene.cluster
    cluster.node(name).kill()
    folder = cluster.folder / name
    for path in folder.iterdir():
        if path.name not in KEPT:
            _remove(path)
    for path in (folder / "cometbft/data").iterdir():
        if path.name != VOTES:
            _remove(path)
    others = cluster.up_but(cluster.member(name))
    scene.counts[ANEW] += 1
    by_snapshot = scene.counts[ANEW] % 2 == 0
    snapshot = state_sync(cluster.folder, others) if by_snapshot else ()
    cluster.start(name, *snapshot)
    return scene.came(is_by_snapshot=bool(snapshot))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def disk_full(scene: Scene, seconds: float) -> str:
    """No space on the disk of a node: the others go on, and so does it when there is some again."""
    cluster = scene.cluster
    name, other = scene.some(2)
    folder, aside = cluster.folder / name, cluster.folder / f"{name}.aside"
    cluster.node(name).kill()
    folder.rename(aside)
    folder.mkdir()
    size = sum(each.stat().st_size for each in aside.rglob("*") if each.is_file()) + ROOM_BYTES
    _run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    try:
        shutil.copytree(aside, folder, dirs_exist_ok=True)
        cluster.start(name)
        taken = _fill(folder / "filler")
        scene.probe(other)
        cluster.wait_until(
            lambda: _is_behind(scene, name, other), f"{name} notices that its disk is full", 60.0
        )
        scene.hold(seconds)
        (folder / "filler").unlink()
        scene.probe(name)
        return f"{name}, {taken:,} bytes taken"
    finally:
        cluster.node(name).kill()
        _remove(aside)
        shutil.copytree(folder, aside, symlinks=True)
        _run("umount", "--lazy", str(folder))
        folder.rmdir()
        aside.rename(folder)


def _is_behind(scene: Scene, name: str, other: str) -> bool:
    """Whether the node says that it has no space, or has fallen behind for that."""
    if scene.cluster.why(name):
        return True
    return 0 <= scene.cluster.height(name) < scene.cluster.height(other) - 3


def _fill(path: Path) -> int:
    """Take all the space there is; how much that was."""
    with path.open("wb", buffering=0) as file:
        with suppress(OSError):
            while True:
                file.write(bytes(FILL_BYTES))
        with suppress(OSError):
            while True:
                file.write(bytes(512))
        return file.tell()


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Wrong(f"{' '.join(command)}: {done.stderr.strip()}")
