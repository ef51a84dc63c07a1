"""Backups and restores that are killed, find no space, or run beside a node under load."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from msgspec.structs import replace

from tests.node.process import Node, lay, running
from tests.node.test_process import under_load
from tests.sdk import backup_killed, small_disk_backup
from tests.sdk.grown_chain import Grown, grow
from tests.sdk.kept_chain import reopen
from tests.small_mount import play
from tongbao.engines.solo.header import read_header
from tongbao.kernel.genesis import chain_id
from tongbao.sdk.backup import BackupReport, back_up, verify
from tongbao.sdk.folder import Folder, trust_bytes
from tongbao.sdk.local import Chain
from tongbao.sdk.opening import open_chain
from tongbao.sdk.restore import restore
from tongbao.store.store import Store

KILLS: Final = 20
"""There are more changes of a disk than this in any of these jobs."""

BESIDE: Final = 4
"""Backups that are taken while a node is paid at."""

BETWEEN: Final = 15
"""Blocks that are made between two of them."""


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Grown:
    """A chain in small segments, and what it was at each height; no test changes it."""
    return grow(tmp_path_factory.mktemp("grown") / "chain")


def counts(lines: str) -> dict[str, int]:
    """How often each job was told to have ended early."""
    return {name: int(many) for name, many in map(str.split, lines.splitlines())}


def state_of(chain: Chain, height: int) -> str:
    """The state root that a block's header commits to."""
    return read_header(chain.block(height).header)[0].state


def test_a_kill_at_any_change_of_the_disk_is_gone_on_from(grown: Grown, tmp_path: Path) -> None:
    """
    Given a process that is killed right before any of the calls by which it changes the disk,
    or stopped there by Ctrl-C,
    when it makes a backup, extends one, or restores one, and is run again,
    then what was under the name was whole all the time, and the second run ends it.
    """
    program = [sys.executable, str(backup_killed.__file__)]
    stages = [str(grown.stages[height]) for height in (grown.first + 2, grown.height)]
    ended = subprocess.run(
        [*program, *stages, str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    killed = counts(ended.stdout)
    backups = ["begun-killed", "extended-killed", "begun-stopped", "extended-stopped"]
    assert list(killed) == [*backups, "restored"]
    assert min(killed.values()) > KILLS


@pytest.mark.needs("unshare", "mount")
def test_a_full_disk_leaves_a_backup_as_it_was(grown: Grown, tmp_path: Path) -> None:
    """
    Given a disk with no space, then with a little more at each try,
    when a backup is made there, extended, and restored there,
    then it is told each time, nothing half-made is left, what was there is whole, and it works once
    there is space.
    """
    (tmp_path / "mounted").mkdir()
    stages = [str(grown.stages[height]) for height in (grown.first, grown.height)]
    tries = counts(play(small_disk_backup, *stages, str(tmp_path / "mounted")))

    assert list(tries) == ["begun", "extended", "restored"]
    assert min(tries.values()) > 2


def test_backups_beside_a_node_under_load_have_all_that_was_acknowledged(tmp_path: Path) -> None:
    """
    Given a node that several clients pay at,
    when it is backed up again and again meanwhile, then killed, and backed up once more,
    then each backup has every block that was answered for before it began, is the beginning of the
    chain's log, and restores to what the chain tells.
    """
    ground = lay(tmp_path / "chain")
    backup = tmp_path / "backup"
    reports: list[BackupReport] = []

    def end(node: Node) -> None:
        for _ in range(BESIDE):
            answered = node.client.get("/v1").json()["height"]
            reports.append(back_up(ground.folder, backup))
            assert reports[-1].height >= answered
            later = {"min_height": reports[-1].height + BETWEEN}
            assert node.client.get("/v1", params=later).status_code == 200
        node.kill()

    with running(ground.folder) as node:
        sent = under_load(ground, node, lambda: end(node))
    reports.append(back_up(ground.folder, backup, with_snapshot=True))

    told = [one.answer["height"] for one in sent if one.answer is not None]
    assert reports[-1].height >= max(told)
    assert all(report.new >= BETWEEN for report in reports[1:-1])
    assert sum(report.new for report in reports) == reports[-1].height + 1
    verify(backup, trust_bytes(Folder(ground.folder).genesis()))
    middle = restore(backup, tmp_path / "middle", height=reports[1].height)
    last = restore(backup, tmp_path / "restored")
    with reopen(ground.folder) as chain, open_chain(tmp_path / "restored") as restored:
        assert state_of(chain, reports[1].height) == middle.state_root
        assert state_of(chain, reports[-1].height) == last.state_root
        for one in sent:
            if one.answer is not None:
                # A block that nobody was told of may follow in the chain: its time is later then.
                now = chain.status(one.id)
                assert replace(restored.status(one.id), time=now.time) == now
    for path in sorted((backup / "log").iterdir()):
        assert (ground.folder / "log" / path.name).read_bytes().startswith(path.read_bytes())
    place = Folder(tmp_path / "restored")
    with Store.open(place.path, chain_id(place.genesis())) as store:
        assert store.height == reports[-1].height
