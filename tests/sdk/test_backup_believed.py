"""Backups are believed only when every byte of them is proven, by keys that are trusted."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from random import Random
from typing import Final

import msgspec
import pytest
from msgspec.structs import replace

from tests.golden_file import check_golden
from tests.sdk.grown_chain import Grown, grow
from tests.sdk.kept_chain import keep
from tests.sdk.test_backup import trust_of
from tests.store.blocks import files_of
from tongbao.sdk.backup import back_up, verify
from tongbao.sdk.backup_folder import FILE, FORMAT, BackupFile, read_file, write_file
from tongbao.sdk.backup_log import BadBackup, Place
from tongbao.sdk.folder import FolderError
from tongbao.sdk.restore import restore
from tongbao.sdk.verification import VerificationError
from tongbao.store.errors import StoreError, WrongChain, WrongVersion

FLIPS: Final = 40
"""Bits of a file that are tried, one after the other."""


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Grown:
    """A chain in small segments, and what it was at each height; no test changes it."""
    return grow(tmp_path_factory.mktemp("grown") / "chain")


@pytest.fixture
def chain(grown: Grown, tmp_path: Path) -> Path:
    """A copy of it as it was at its first stage, which a test may change."""
    return Path(shutil.copytree(grown.stages[grown.first], tmp_path / "chain"))


def test_any_flipped_bit_of_a_backup_is_refused(grown: Grown, tmp_path: Path) -> None:
    """
    Given a backup,
    when any bit of its log, genesis file or end is another,
    then verifying it is refused, and so is a restore.
    """
    backup = tmp_path / "backup"
    report = back_up(grown.stages[grown.first + 2], backup)
    said = says(backup)
    random = Random(11)
    for name, data in files_of(backup).items():
        if name == "trust.json":
            continue  # nothing reads it here: whoever verifies brings one that is trusted
        bits = range(len(data) * 8)
        for bit in random.sample(bits, FLIPS):
            changed = bytearray(data)
            changed[bit // 8] ^= 1 << bit % 8
            (backup / name).write_bytes(changed)
            if name == "backup.json" and says(backup) == said:
                continue
            with pytest.raises((StoreError, FolderError)):
                verify(backup, trust_of(grown.folder))
            with pytest.raises((StoreError, FolderError)):
                restore(backup, tmp_path / "chain")
            assert not (tmp_path / "chain").exists()
        (backup / name).write_bytes(data)
    assert verify(backup, trust_of(grown.folder)) == replace(report, new=0)


def says(backup: Path) -> BackupFile | None:
    """What `backup.json` says of blocks; None where it can't be read.

    When it was taken and the newest snapshot's height are only told: no block depends on them.
    """
    try:
        return replace(read_file(backup), taken=0, snapshot=None)
    except (StoreError, FolderError):
        return None


def test_only_trusted_keys_are_believed(grown: Grown, tmp_path: Path) -> None:
    """
    Given the trust file of another chain, of this chain with other keys, and none at all,
    when a backup is verified by it,
    then it is refused.
    """
    other = keep(tmp_path / "other", "other").folder
    back_up(grown.folder, tmp_path / "backup")
    others_keys = msgspec.json.decode(trust_of(other)) | {
        "chain": msgspec.json.decode(trust_of(grown.folder))["chain"]
    }

    with pytest.raises(WrongChain, match="the trust file of"):
        verify(tmp_path / "backup", trust_of(other))
    with pytest.raises(BadBackup, match="is no authority"):
        verify(tmp_path / "backup", msgspec.json.encode(others_keys))
    with pytest.raises(VerificationError):
        verify(tmp_path / "backup", b"{}")


def test_a_backup_of_a_later_version_or_without_its_files_is_told(
    chain: Path, tmp_path: Path
) -> None:
    """
    Given a backup in a later format, one whose log is shorter than it says, and one whose genesis
    file is gone,
    when it is used,
    then it is refused with what is wrong, and what to do.
    """
    backup = tmp_path / "backup"
    back_up(chain, backup)
    file = read_file(backup)
    write_file(backup, replace(file, format="tongbao/backup/9"))
    with pytest.raises(WrongVersion, match="tongbao/backup/9"):
        back_up(chain, backup)
    write_file(backup, file)
    short = Path(shutil.copytree(backup, tmp_path / "short"))
    os.truncate(short / "log" / "00000000.log", file_end(file) - 1)
    with pytest.raises(BadBackup, match="damaged"):
        back_up(chain, short)
    with pytest.raises(BadBackup, match="damaged"):
        verify(short)
    (backup / "genesis.json").unlink()
    with pytest.raises(BadBackup, match="bring it back from another copy"):
        back_up(chain, backup)


def file_end(file: BackupFile) -> int:
    """The byte at which a backup ends."""
    assert file.end is not None
    return file.end.end


def test_the_file_of_a_backup_is_written_as_ever(tmp_path: Path) -> None:
    """
    Given what a backup says of itself,
    when it is written, and read again,
    then each byte is as it was frozen, and it says the same.
    """
    file = BackupFile(
        format=FORMAT,
        chain="fixed-01234567",
        first=3,
        height=9,
        time=1_790_000_000_009,
        hash="ab" * 32,
        taken=1_790_000_000_123,
        snapshot=5,
        end=Place(1, 88, 1_234),
    )
    write_file(tmp_path, file)

    check_golden("backup.json", "backup.json", (tmp_path / FILE).read_text())
    assert read_file(tmp_path) == file
