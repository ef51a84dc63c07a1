"""Backups of chains that have given up the bodies of old blocks."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sdk.grown_chain import Grown, grow, ids_of, send, told_by
from tests.sdk.kept_chain import PASSPHRASE, reopen
from tests.sdk.test_backup import log_of, trust_of
from tests.store.blocks import files_of, flip
from tongbao.kernel.genesis import chain_id
from tongbao.sdk.audit import audit_folder
from tongbao.sdk.backup import back_up, verify
from tongbao.sdk.backup_log import BadBackup
from tongbao.sdk.folder import Folder
from tongbao.sdk.genesis_export import export
from tongbao.sdk.pruning import prune
from tongbao.sdk.restore import NotInBackup, restore
from tongbao.store.base import Base, base_heights, base_name
from tongbao.store.errors import StoreError
from tongbao.store.record import Status
from tongbao.store.snapshot.history import Outcome, outcomes_file
from tongbao.store.snapshot.names import HISTORY, OUTCOMES

KEPT: int = 3
"""Blocks that a pruned chain wants to keep; the first of their file stays as well."""


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Grown:
    """A chain in small segments, and what it was at each height; no test changes it."""
    return grow(tmp_path_factory.mktemp("grown") / "chain")


@pytest.fixture
def pruned(grown: Grown, tmp_path: Path) -> Path:
    """A copy of all of it that has given up its first files."""
    folder = Path(shutil.copytree(grown.folder, tmp_path / "pruned"))
    assert prune(folder, KEPT).first > grown.first
    return folder


def test_a_pruned_chain_is_backed_up_with_its_base(
    grown: Grown, pruned: Path, tmp_path: Path
) -> None:
    """
    Given a chain whose log begins with a later block, and which goes on from its base,
    when it is backed up, goes on, and is backed up again, and restored, and gets its keys,
    then the restored one has the same base and blocks, tells the same of all transactions, has no
    finding, and makes blocks.
    """
    first = back_up(pruned, tmp_path / "backup")
    send(pruned, grown.shop, "1.00")
    second = back_up(pruned, tmp_path / "backup")
    report = restore(tmp_path / "backup", tmp_path / "chain", trust=trust_of(pruned))

    assert first.first > grown.first and second.new == 1
    assert (report.first, report.height) == (first.first, grown.height + 1)
    assert verify(tmp_path / "backup", trust_of(pruned)).height == report.height
    assert log_of(tmp_path / "chain") == log_of(pruned) == log_of(tmp_path / "backup")
    assert base_heights(tmp_path / "chain") == base_heights(pruned) == [grown.height]
    ids = ids_of(grown.told[grown.height])
    assert told_by(tmp_path / "chain", ids) == told_by(pruned, ids)
    assert audit_folder(tmp_path / "chain").findings == ()
    shutil.copytree(pruned / "keys", tmp_path / "chain" / "keys")
    send(tmp_path / "chain", grown.shop, "1.00")
    assert back_up(tmp_path / "chain", tmp_path / "backup").new == 1


def test_a_block_before_the_first_rows_is_not_restored(
    grown: Grown, pruned: Path, tmp_path: Path
) -> None:
    """
    Given a backup of a pruned chain, whose blocks begin before its base,
    when it is restored to a block that is there but before the base, and to one that is not there,
    then both are refused and nothing is made.
    """
    first = back_up(pruned, tmp_path / "backup").first

    with pytest.raises(NotInBackup, match="were pruned"):
        restore(tmp_path / "backup", tmp_path / "chain", height=grown.height - 1)
    with pytest.raises(NotInBackup, match=f"has the blocks {first} to"):
        restore(tmp_path / "backup", tmp_path / "chain", height=first - 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup", "pruned"]


def test_a_backup_keeps_what_the_chain_has_given_up(grown: Grown, tmp_path: Path) -> None:
    """
    Given a backup from the first block on, and a chain that is pruned afterwards and goes on,
    when it is backed up again,
    then the backup has all blocks from the first on, and restores to any of them, with statuses.
    """
    chain = Path(shutil.copytree(grown.folder, tmp_path / "chain"))
    back_up(chain, tmp_path / "backup")
    prune(chain, 0)
    send(chain, grown.shop, "1.00")
    report = back_up(chain, tmp_path / "backup")

    assert (report.first, report.new, report.snapshot) == (0, 1, grown.height)
    verify(tmp_path / "backup", trust_of(chain))
    ids = ids_of(grown.told[grown.height])
    for height in (grown.first, grown.height):
        restore(tmp_path / "backup", tmp_path / f"at-{height}", height=height)
        assert told_by(tmp_path / f"at-{height}", ids) == grown.told[height]


def test_a_gap_between_a_backup_and_a_pruned_chain_is_refused(
    grown: Grown, pruned: Path, tmp_path: Path
) -> None:
    """
    Given a backup of long ago, and a chain that has given up the blocks after its end; and another
    that ends right before the first block that the chain has,
    when the chain is backed up there,
    then the first is refused and has not changed, and the second goes on.
    """
    first = back_up(pruned, tmp_path / "pruned-backup").first
    back_up(grown.stages[first - 2], tmp_path / "old")
    back_up(grown.stages[first - 1], tmp_path / "just")
    before = files_of(tmp_path / "old")

    with pytest.raises(BadBackup, match="begin a new backup"):
        back_up(pruned, tmp_path / "old")
    assert files_of(tmp_path / "old") == before
    assert back_up(pruned, tmp_path / "just").new == grown.height + 1 - first
    assert log_of(tmp_path / "just") == log_of(grown.folder)


def test_a_newer_snapshot_takes_the_place_of_an_older_one(
    grown: Grown, pruned: Path, tmp_path: Path
) -> None:
    """
    Given a backup of a pruned chain that goes on,
    when it is backed up with a snapshot, again and again,
    then the newest is there, and the base with which the log begins, from which a restore is made.
    """
    back_up(pruned, tmp_path / "backup")
    for _ in range(2):
        send(pruned, grown.shop, "1.00")
        report = back_up(pruned, tmp_path / "backup", with_snapshot=True)

    assert base_heights(tmp_path / "backup") == [grown.height, grown.height + 2]
    assert report.snapshot == grown.height + 2
    assert restore(tmp_path / "backup", tmp_path / "early", height=grown.height).left_out == 2
    assert restore(tmp_path / "backup", tmp_path / "late").left_out == 0
    assert base_heights(tmp_path / "late") == [grown.height + 2]


def test_a_chain_that_began_with_another_s_rows_is_backed_up(grown: Grown, tmp_path: Path) -> None:
    """
    Given a chain that was exported out of another one, and has blocks of its own,
    when it is backed up, goes on, is backed up with a snapshot, and restored, to its end and to its
    first block,
    then each restored one tells the same as the chain, transactions of the other one included, and
    goes on with its keys.
    """
    chain = tmp_path / "chain"
    export(grown.folder, chain, "network", passphrase=PASSPHRASE)
    reopen(chain).close()
    first = back_up(chain, tmp_path / "backup")
    shutil.copy(grown.folder / "keys" / "operator.json", chain / "keys")
    send(chain, grown.shop, "1.00")
    report = back_up(chain, tmp_path / "backup", with_snapshot=True)
    trust = trust_of(chain)

    assert (first.first, first.height, first.new) == (grown.height + 1, grown.height + 1, 1)
    assert (report.new, report.snapshot) == (1, grown.height + 2)
    assert verify(tmp_path / "backup", trust).height == report.height
    ids = ids_of(grown.told[grown.height])
    last = restore(tmp_path / "backup", tmp_path / "last", trust=trust)
    assert (last.height, last.left_out) == (report.height, 0)
    assert told_by(tmp_path / "last", ids) == told_by(chain, ids)
    early = restore(tmp_path / "backup", tmp_path / "early", height=first.height)
    assert (early.left_out, told_by(tmp_path / "early", ids).statuses) == (
        1,
        grown.told[grown.height].statuses,
    )
    shutil.copytree(chain / "keys", tmp_path / "last" / "keys")
    send(tmp_path / "last", grown.shop, "1.00")
    assert back_up(tmp_path / "last", tmp_path / "backup").new == 1


def test_a_damaged_base_of_a_backup_is_refused(pruned: Path, tmp_path: Path) -> None:
    """
    Given a backup of a pruned chain,
    when a bit of any file of its base is another,
    then verifying is refused, and so is a restore but for the file that it does not read.
    """
    back_up(pruned, tmp_path / "backup")
    (base,) = (tmp_path / "backup").glob("base-*")
    for name, data in files_of(base).items():
        if name == "genesis.json":
            continue  # the backup's own counts
        flip(base / name, len(data) // 2)
        with pytest.raises(StoreError):
            verify(tmp_path / "backup")
        with pytest.raises(StoreError):
            restore(tmp_path / "backup", tmp_path / "chain")
        assert not (tmp_path / "chain").exists()
        (base / name).write_bytes(data)
    verify(tmp_path / "backup")


def _as_refused(outcomes: list[Outcome]) -> list[Outcome]:
    """The last transaction is told to have been refused."""
    (each, status), *others = sorted(outcomes, key=lambda found: -found[1].height)
    return sorted([(each, Status(status.height, status.index, 1001)), *others])


def _with_another(outcomes: list[Outcome]) -> list[Outcome]:
    """A transaction that never was is told to have been applied."""
    return sorted([*outcomes, (bytes(32), Status(outcomes[0][1].height, 7, 0))])


@pytest.mark.parametrize("change", [_as_refused, _with_another])
def test_a_base_that_says_otherwise_than_the_blocks_is_refused(
    grown: Grown, tmp_path: Path, change: Callable[[list[Outcome]], list[Outcome]]
) -> None:
    """
    Given a backup with a snapshot, in which somebody has changed where transactions stand, and has
    made that file whole again,
    when it is restored,
    then the blocks know better: it is refused, and nothing is made; without the snapshot it works.
    """
    backup = tmp_path / "backup"
    back_up(grown.folder, backup, with_snapshot=True)
    chain = chain_id(Folder(grown.folder).genesis())
    base = Base(backup / base_name(grown.height), chain)
    changed = change(list(base.statuses()))
    file = base.folder / HISTORY / OUTCOMES
    file.write_bytes(b"".join(outcomes_file(chain, grown.height, changed)))

    with pytest.raises(BadBackup, match="says otherwise than the blocks"):
        restore(backup, tmp_path / "chain")
    assert not (tmp_path / "chain").exists()
    shutil.rmtree(base.folder)
    assert restore(backup, tmp_path / "chain").height == grown.height
