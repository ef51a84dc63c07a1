"""Restores: whole or not at all, to the end or to an earlier block, and never further."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.sdk.grown_chain import Grown, grow, ids_of, send, told_by
from tests.sdk.kept_chain import PASSPHRASE, keep, pay, reopen
from tests.sdk.test_backup import log_of, trust_of
from tests.store.blocks import files_of
from tongbao.sdk.audit import audit_folder
from tongbao.sdk.backup import back_up
from tongbao.sdk.backup_folder import read_file, write_file
from tongbao.sdk.backup_log import BadBackup
from tongbao.sdk.folder import Folder, FolderError
from tongbao.sdk.opening import operator_wallet
from tongbao.sdk.restore import NotInBackup, restore
from tongbao.store.errors import DamagedLog, WrongChain
from tongbao.store.frames import read_segment_head, write_frame
from tongbao.store.record import BlockRecord, encode


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Grown:
    """A chain in small segments, and what it was at each height; no test changes it."""
    return grow(tmp_path_factory.mktemp("grown") / "chain")


@pytest.fixture(scope="module")
def backup(grown: Grown) -> Path:
    """A backup of all of it, which no test changes."""
    back_up(grown.folder, grown.folder.with_name("backup"))
    return grown.folder.with_name("backup")


def test_a_restored_chain_goes_on_once_its_keys_are_back(
    grown: Grown, backup: Path, tmp_path: Path
) -> None:
    """
    Given a backup of a chain,
    when it is restored, audited, and gets the keys,
    then it tells what the chain told, makes the next block, and is backed up to the same folder.
    """
    folder, copied = tmp_path / "chain", Path(shutil.copytree(backup, tmp_path / "copied"))
    report = restore(backup, folder, trust=trust_of(grown.folder))

    assert (report.first, report.height, report.left_out) == (0, grown.height, 0)
    assert not (folder / "keys").exists()
    assert told_by(folder, ids_of(grown.told[grown.height])) == grown.told[grown.height]
    assert audit_folder(folder).findings == ()
    assert Folder(folder).foreign_trust(Folder(folder).genesis()) == ""
    shutil.copytree(grown.folder / "keys", folder / "keys")
    with reopen(folder) as chain:
        paid = operator_wallet(chain, folder, PASSPHRASE).send(pay(grown.shop, "1.00"))
    assert paid.height == grown.height + 1
    assert back_up(folder, copied).new == 1


def test_a_time_is_that_of_the_last_block_not_later(
    grown: Grown, backup: Path, tmp_path: Path
) -> None:
    """
    Given a backup, and the times of its blocks,
    when it is restored to the time of each, and to a moment before,
    then the last block is that one, or the one before it.
    """
    blocks = grown.told[grown.height].blocks
    for height in (1, grown.first, grown.height):
        at = restore(backup, tmp_path / f"at-{height}", time=blocks[height].time)
        before = restore(backup, tmp_path / f"before-{height}", time=blocks[height].time - 1)
        assert (at.height, at.time) == (height, blocks[height].time)
        assert (before.height, before.left_out) == (height - 1, grown.height - height + 1)
    taken = read_file(backup).taken
    assert restore(backup, tmp_path / "taken", time=taken).height == grown.height


def test_what_a_backup_does_not_have_is_refused_and_never_cut(
    grown: Grown, backup: Path, tmp_path: Path
) -> None:
    """
    Given a backup,
    when it is restored to a height above its end, a time after it was taken, or before genesis,
    then each is refused with what the backup has, and nothing is made.
    """
    with pytest.raises(NotInBackup, match=f"has the blocks 0 to {grown.height}, not 99"):
        restore(backup, tmp_path / "chain", height=99)
    with pytest.raises(NotInBackup, match="can't know"):
        restore(backup, tmp_path / "chain", time=read_file(backup).taken + 1)
    with pytest.raises(NotInBackup, match="of a later time"):
        restore(backup, tmp_path / "chain", time=1)
    assert list(tmp_path.iterdir()) == []


def test_a_chain_that_was_cut_and_signed_on_is_another_history(
    grown: Grown, backup: Path, tmp_path: Path
) -> None:
    """
    Given a chain that was restored to an earlier block, and signs on from there,
    when it is backed up to the backup that has the later blocks, before and after it is as long,
    then it is refused, and the backup has not changed.
    """
    copied = Path(shutil.copytree(backup, tmp_path / "copied"))
    before = files_of(copied)
    cut = grown.height - 1
    restore(backup, tmp_path / "chain", height=cut)
    shutil.copytree(grown.folder / "keys", tmp_path / "chain" / "keys")

    with pytest.raises(BadBackup, match="has lost blocks"):
        back_up(tmp_path / "chain", copied)
    for _ in range(3):
        send(tmp_path / "chain", grown.shop, "3.00")
    with pytest.raises(BadBackup, match="another history"):
        back_up(tmp_path / "chain", copied)
    assert files_of(copied) == before
    assert back_up(tmp_path / "chain", tmp_path / "new").height == cut + 3


def test_what_is_there_already_is_never_touched(grown: Grown, backup: Path, tmp_path: Path) -> None:
    """
    Given a folder, and files of others where a restore begins,
    when a backup is restored to each, or from what is none,
    then it is refused and all is as it was.
    """
    (tmp_path / "chain").mkdir()
    (tmp_path / "others.new").mkdir()
    (tmp_path / "others.new" / "letter").write_text("mine")
    before = files_of(tmp_path)

    with pytest.raises(FolderError, match="is there already"):
        restore(backup, tmp_path / "chain")
    with pytest.raises(FolderError, match="move it away"):
        restore(backup, tmp_path / "others")
    with pytest.raises(FolderError, match="is no backup"):
        restore(tmp_path / "chain", tmp_path / "new")
    assert files_of(tmp_path) == before


def test_a_stranger_s_backup_is_not_restored(grown: Grown, backup: Path, tmp_path: Path) -> None:
    """
    Given the trust file of another chain,
    when a backup is restored with it,
    then it is refused, and nothing is made.
    """
    other = keep(tmp_path / "other", "other").folder
    with pytest.raises(WrongChain, match="the trust file of"):
        restore(backup, tmp_path / "chain", trust=trust_of(other))
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_rows_that_are_not_those_of_the_header_are_not_restored(
    grown: Grown, backup: Path, tmp_path: Path
) -> None:
    """
    Given a backup whose last block writes another row than its header commits to, in a frame that
    is whole by its checksum,
    when it is restored,
    then it is refused for the root, and nothing is made; the block before is restored.
    """
    forged = Path(shutil.copytree(backup, tmp_path / "forged"))
    _forge_rows(forged, grown.told[grown.height].blocks[-1])

    with pytest.raises(DamagedLog, match="do not have the root in its header"):
        restore(forged, tmp_path / "chain")
    assert [path.name for path in tmp_path.iterdir()] == ["forged"]
    assert restore(forged, tmp_path / "chain", height=grown.height - 1).left_out == 1
    assert log_of(tmp_path / "chain") != log_of(backup)


def _forge_rows(folder: Path, record: BlockRecord) -> None:
    """Write the last block of a backup again with a row that it has not written."""
    file = read_file(folder)
    assert file.end is not None
    path = folder / "log" / f"{file.end.segment:08d}.log"
    head = read_segment_head(path.read_bytes())
    assert head is not None
    os.truncate(path, file.end.start)
    (key, _), *others = record.rows
    changed = replace(record, rows=((key, b"forged"), *others))
    frame = write_frame(head.salt, record.height, record.height, encode(changed))
    with path.open("ab") as written:
        written.write(frame)
    write_file(folder, replace(file, end=file.end._replace(end=file.end.start + len(frame))))
