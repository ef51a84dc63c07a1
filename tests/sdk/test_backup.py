"""Backups: only what is new, only what is durable, only of one history, and believed by nobody."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.sdk.grown_chain import Grown, grow, ids_of, send, told_by
from tests.sdk.kept_chain import keep
from tests.store.blocks import files_of, flip
from tongbao.sdk.backup import back_up, verify
from tongbao.sdk.backup_folder import read_file
from tongbao.sdk.backup_log import BadBackup
from tongbao.sdk.folder import Folder, FolderError, trust_bytes
from tongbao.sdk.restore import restore
from tongbao.store.errors import DamagedLog, FolderInUse, StoreError, WrongChain
from tongbao.store.frames import SEGMENT_HEAD, read_segment_head, write_frame
from tongbao.store.record import BlockRecord, encode

EXAMPLES: Final = 25


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Grown:
    """A chain in small segments, and what it was at each height; no test changes it."""
    return grow(tmp_path_factory.mktemp("grown") / "chain")


@pytest.fixture
def chain(grown: Grown, tmp_path: Path) -> Path:
    """A copy of it as it was at its first stage, which a test may change."""
    return Path(shutil.copytree(grown.stages[grown.first], tmp_path / "chain"))


def log_of(folder: Path) -> dict[str, bytes]:
    """The files of a log."""
    return {path.name: path.read_bytes() for path in sorted((folder / "log").iterdir())}


def trust_of(folder: Path) -> bytes:
    """The trust file of a chain."""
    return trust_bytes(Folder(folder).genesis())


def test_a_backup_has_the_log_byte_by_byte_and_no_key(grown: Grown, tmp_path: Path) -> None:
    """
    Given a closed chain,
    when it is backed up,
    then the files of the log, genesis and trust file are the same, no key is there, and the chain
    has not changed.
    """
    before = files_of(grown.folder)
    report = back_up(grown.folder, tmp_path / "backup")

    assert (report.first, report.height, report.new) == (0, grown.height, grown.height + 1)
    assert len(log_of(grown.folder)) > 2
    assert log_of(tmp_path / "backup") == log_of(grown.folder)
    kept = {name: data for name, data in before.items() if name.endswith("t.json") or "log" in name}
    found = files_of(tmp_path / "backup")
    assert {name: found[name] for name in kept} == kept
    assert not [name for name in found if "key" in name]
    assert files_of(grown.folder) == before
    assert verify(tmp_path / "backup", trust_of(grown.folder)) == replace(report, new=0)


@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_any_steps_of_backups_restore_to_any_height(
    grown: Grown, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """
    Given a chain that was backed up at any of its heights, with snapshots or without,
    when it is restored to any height,
    then rows, blocks and where transactions stand are those that the chain had at that height, and
    the backup's log is the chain's.
    """
    folder = tmp_path_factory.mktemp("steps")
    heights = sorted(data.draw(st.sets(st.sampled_from(sorted(grown.stages)), min_size=1)))
    new = 0
    for height in heights:
        snapshot = data.draw(st.booleans(), label=f"snapshot at {height}")
        report = back_up(grown.stages[height], folder / "backup", with_snapshot=snapshot)
        assert report.height == height
        new += report.new
    assert new == heights[-1] + 1
    assert log_of(folder / "backup") == log_of(grown.stages[heights[-1]])

    wanted = data.draw(st.integers(0, heights[-1]), label="restored to")
    report_of_restore = restore(folder / "backup", folder / "chain", height=wanted)
    ids = ids_of(grown.told[grown.height])
    found = told_by(folder / "chain", ids)
    assert (report_of_restore.height, report_of_restore.left_out) == (wanted, heights[-1] - wanted)
    assert found.blocks == grown.told[grown.height].blocks[: wanted + 1]
    assert found.statuses == {
        each: status
        for each, status in grown.told[grown.height].statuses.items()
        if status.height <= wanted
    }
    if wanted in grown.told:
        assert found == grown.told[wanted]
    shutil.rmtree(folder)


def test_a_second_backup_writes_only_what_is_new(grown: Grown, tmp_path: Path) -> None:
    """
    Given a backup whose older files nobody may write, and a chain that went on,
    when it is backed up again, twice,
    then the new blocks are added, the second time there is none, and older files are untouched.
    """
    backup = tmp_path / "backup"
    back_up(grown.stages[grown.first + 3], backup)
    names = sorted(log_of(backup))
    stamps = {name: (backup / "log" / name).stat().st_mtime_ns for name in names[:-1]}

    assert back_up(grown.folder, backup).new == grown.height - grown.first - 3
    assert back_up(grown.folder, backup).new == 0
    assert len(log_of(backup)) > len(names)
    assert {name: (backup / "log" / name).stat().st_mtime_ns for name in stamps} == stamps
    assert log_of(backup) == log_of(grown.folder)


def test_a_block_that_may_not_be_synced_is_left_out(
    grown: Grown, chain: Path, tmp_path: Path
) -> None:
    """
    Given a log with a whole block behind the last one that rows and headers know, and half of one
    behind that, as beside a node that writes,
    when it is backed up,
    then the block before is the last; and it is one of the next backup once the headers tell it.
    """
    known = back_up(chain, tmp_path / "first")
    ahead = Path(shutil.copytree(chain, tmp_path / "ahead"))
    send(ahead, grown.shop, "1.00")
    for name in log_of(ahead):
        shutil.copy(ahead / "log" / name, chain / "log" / name)
    last = chain / "log" / max(log_of(chain))
    with last.open("ab") as file:
        file.write(b"TBRK\0\0\1")

    assert back_up(chain, tmp_path / "backup").height == known.height
    shutil.copy(ahead / "headers", chain / "headers")
    assert back_up(chain, tmp_path / "backup").new == 1
    assert log_of(tmp_path / "backup") == log_of(ahead)


def test_a_history_that_is_another_is_refused(grown: Grown, chain: Path, tmp_path: Path) -> None:
    """
    Given a backup of a chain, and a copy of the chain that is older, and went on otherwise,
    when either is backed up there,
    then it is refused, with what it is, and the backup has not changed.
    """
    backup = tmp_path / "backup"
    back_up(grown.stages[grown.first + 2], backup)
    before = files_of(backup)

    with pytest.raises(BadBackup, match="has lost blocks, or is an older copy"):
        back_up(chain, backup)
    for _ in range(4):
        send(chain, grown.shop, "2.00")
    with pytest.raises(BadBackup, match="is another history"):
        back_up(chain, backup)
    assert files_of(backup) == before


def test_a_backup_of_another_chain_or_of_nothing_is_refused(grown: Grown, tmp_path: Path) -> None:
    """
    Given a backup of another chain, a folder of somebody else, and a folder without a chain,
    when each is used,
    then it is refused and has not changed.
    """
    other = keep(tmp_path / "other", "other").folder
    back_up(other, tmp_path / "backup")
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "letter").write_text("mine")
    (tmp_path / "more.new").mkdir()
    (tmp_path / "more.new" / "letter").write_text("mine")
    before = files_of(tmp_path)

    with pytest.raises(WrongChain, match="name another folder"):
        back_up(grown.folder, tmp_path / "backup")
    with pytest.raises(FolderError, match="is no backup"):
        back_up(grown.folder, tmp_path / "letters")
    with pytest.raises(FolderError, match="move it away"):
        back_up(grown.folder, tmp_path / "more")
    with pytest.raises(FolderError, match="holds no chain"):
        back_up(tmp_path / "letters", tmp_path / "new")
    with pytest.raises(FolderError, match="there is no folder"):
        back_up(grown.folder, tmp_path / "missing" / "backup")
    assert files_of(tmp_path) == before


def test_a_block_that_can_not_be_believed_is_not_copied(
    grown: Grown, chain: Path, tmp_path: Path
) -> None:
    """
    Given a chain with a changed byte in an older file, and one whose newest block has another
    outcome than its receipt tells, in a frame that is whole,
    when each is backed up,
    then the byte or the block is named; the backup is as it was, or has the whole files before.
    """
    back_up(chain, tmp_path / "backup")
    before = files_of(tmp_path / "backup")
    forged = Path(shutil.copytree(grown.folder, tmp_path / "forged"))
    last = forge(forged, grown.told[grown.height].blocks[-1])
    flipped = Path(shutil.copytree(grown.folder, tmp_path / "flipped"))
    flip(flipped / "log" / "00000001.log", SEGMENT_HEAD + 99)

    with pytest.raises(DamagedLog, match=r"00000001\.log is damaged"):
        back_up(flipped, tmp_path / "backup")
    assert files_of(tmp_path / "backup") == before
    with pytest.raises(BadBackup, match=f"block {grown.height}: the outcomes are not those"):
        back_up(forged, tmp_path / "new")
    assert not (tmp_path / "new").exists() and not (tmp_path / "new.new").exists()
    with pytest.raises(BadBackup, match=f"block {grown.height}: the outcomes are not those"):
        back_up(forged, tmp_path / "backup")
    whole = {name: data for name, data in log_of(grown.folder).items() if name < last}
    assert log_of(tmp_path / "backup") == whole
    verify(tmp_path / "backup", trust_of(chain))
    assert back_up(grown.folder, tmp_path / "backup").height == grown.height


def forge(folder: Path, record: BlockRecord) -> str:
    """Write the last block of a log again with other outcomes, whole by its checksum.

    The name of its file.
    """
    back_up(folder, folder.with_name("ends"))
    end = read_file(folder.with_name("ends")).end
    assert end is not None
    path = folder / "log" / f"{end.segment:08d}.log"
    head = read_segment_head(path.read_bytes())
    assert head is not None
    os.truncate(path, end.start)
    changed = replace(record, outbox=tuple((each, 2001) for each, _ in record.outbox))
    with path.open("ab") as file:
        file.write(write_frame(head.salt, record.height, record.height, encode(changed)))
    return path.name


def test_what_acknowledged_blocks_need_must_be_there(chain: Path, tmp_path: Path) -> None:
    """
    Given a chain whose log has lost its last block, though its rows have it, and one without rows,
    when each is backed up,
    then it is refused and nothing is there.
    """
    last = chain / "log" / max(log_of(chain))
    os.truncate(last, last.stat().st_size - 1)
    with pytest.raises(DamagedLog, match="were acknowledged"):
        back_up(chain, tmp_path / "backup")
    shutil.rmtree(chain / "state")
    with pytest.raises(StoreError, match="has no rows yet"):
        back_up(chain, tmp_path / "backup")
    assert [path.name for path in tmp_path.iterdir()] == ["chain"]


def test_two_backups_into_one_folder_exclude_each_other(chain: Path, tmp_path: Path) -> None:
    """
    Given a backup that is being taken, the first time and a later one,
    when another is taken to the same folder meanwhile, or that is verified or restored,
    then it is refused as busy, and the first one ends as ever.
    """
    backup = tmp_path / "backup"
    for _ in range(2):
        refused: list[str] = []

        def meanwhile(stage: str, done: int, total: int, refused: list[str] = refused) -> None:
            with pytest.raises(FolderInUse):
                back_up(chain, backup)
            if backup.exists():
                for call in (lambda: verify(backup), lambda: restore(backup, tmp_path / "r")):
                    with pytest.raises(FolderInUse):
                        call()
            refused.append(stage)

        back_up(chain, backup, meanwhile)
        assert "blocks" in refused
    assert log_of(backup) == log_of(chain)


def test_a_first_backup_of_another_chain_that_was_cut_short_is_left_alone(
    chain: Path, tmp_path: Path
) -> None:
    """
    Given what a killed first backup of one chain has left beside a name,
    when another chain is backed up to that name,
    then it is refused, and what is left is as it was; the first chain goes on with it.
    """
    back_up(chain, tmp_path / "backup")
    (tmp_path / "backup").rename(tmp_path / "backup.new")
    before = files_of(tmp_path / "backup.new")
    other = keep(tmp_path / "other", "other")
    with pytest.raises(WrongChain, match="name another folder"):
        back_up(other.folder, tmp_path / "backup")
    assert files_of(tmp_path / "backup.new") == before
    assert back_up(chain, tmp_path / "backup").new == 0
