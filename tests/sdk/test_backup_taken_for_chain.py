"""A backup that somebody takes for the folder of a chain: nothing of it goes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.sdk.grown_chain import Grown, grow
from tests.store.blocks import files_of
from tongbao.sdk.audit import audit_folder
from tongbao.sdk.backup import back_up, verify
from tongbao.sdk.doctor import examine
from tongbao.sdk.folder import FolderError
from tongbao.sdk.snapshots import take


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Grown:
    """A chain in small segments; no test changes it."""
    return grow(tmp_path_factory.mktemp("grown") / "chain")


@pytest.fixture
def backup(grown: Grown, tmp_path: Path) -> Path:
    """A backup of all its blocks, with the rows of the last one."""
    back_up(grown.folder, tmp_path / "backup", with_snapshot=True)
    return tmp_path / "backup"


def test_a_backup_is_not_opened_as_a_chain(backup: Path, tmp_path: Path) -> None:
    """
    Given a backup with a snapshot,
    when it is audited, looked through and backed up as if it were a chain,
    then each says that it is a backup and what to do, and no byte of it changes.
    """
    before = files_of(backup)
    for ask in (
        lambda: audit_folder(backup),
        lambda: back_up(backup, tmp_path / "second"),
        lambda: take(backup, tmp_path / "snapshot"),
    ):
        with pytest.raises(FolderError, match=r"is a backup.*tongbao restore"):
            ask()
    found = examine(backup)
    assert found.exit_code == FolderError.exit_code
    assert "tongbao restore" in next(each.text for each in found.findings if each.exit_code)
    assert files_of(backup) == before


def test_a_base_that_says_nothing_of_pruning_gives_up_no_block(
    grown: Grown, backup: Path, tmp_path: Path
) -> None:
    """
    Given the files of a backup, copied by hand to where a chain is wanted,
    when it is opened, closed and opened again,
    then every block is there.
    """
    folder = Path(shutil.copytree(backup, tmp_path / "chain"))
    (folder / "backup.json").unlink()
    for _ in range(2):
        report = audit_folder(folder)
        assert (report.findings, report.blocks) == ((), grown.height + 1)
    shutil.copytree(folder / "log", backup / "log", dirs_exist_ok=True)
    assert verify(backup).height == grown.height
