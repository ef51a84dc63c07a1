"""Snapshots: taken beside a running chain, whole or not at all, and believed only when proven."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

import lmdb
import msgspec
import pytest
from msgspec.structs import replace

from tests.sdk import payer, small_disk_snapshot, snapshot_taker
from tests.sdk.kept_chain import keep, reopen
from tests.sdk.snapshot_taker import SMALL, STAGES
from tests.sdk.test_opening_upgraded import BEGINS
from tests.sdk.test_opening_upgraded import kept as upgraded
from tests.small_mount import play
from tests.store.blocks import files_of
from tongbao.engines.solo.header import read_header
from tongbao.kernel.genesis import chain_id
from tongbao.sdk.audit import audit_folder
from tongbao.sdk.folder import Folder, FolderError, trust_bytes, trust_file
from tongbao.sdk.opening import open_chain
from tongbao.sdk.snapshot_folder import new_folder
from tongbao.sdk.snapshots import SnapshotReport, take, verify
from tongbao.sdk.verification import VerificationError
from tongbao.store.behind import BLOCKS_BEHIND
from tongbao.store.errors import FolderInUse, FolderMissing, StoreError, WrongChain
from tongbao.store.snapshot.errors import BadSnapshot

ONLINE: Final = 4
"""Snapshots that are taken while another process pays."""

LOOK_AGAIN_S: Final = 0.02

FULL_TRIES: Final = 5
"""There are more of them than this until a small chain's snapshot finds space."""

FLIPS: Final = 150
"""Bits of a file that are tried, one after the other."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a closed chain of six blocks, which no test changes."""
    return keep(tmp_path_factory.mktemp("kept") / "chain").folder


@pytest.fixture(scope="module")
def taken(kept: Path) -> Path:
    """A snapshot of it in several chunks, which no test changes."""
    take(kept, kept.with_name("taken"), chunk_bytes=SMALL)
    return kept.with_name("taken")


@pytest.fixture
def copied(taken: Path, tmp_path: Path) -> Path:
    """A copy of the snapshot."""
    return Path(shutil.copytree(taken, tmp_path / "copied"))


def trust_of(folder: Path) -> bytes:
    """The trust file of a chain."""
    return trust_bytes(Folder(folder).genesis())


def acknowledged(told: Path) -> int:
    """The height of the last payment that a payer has told to be done, -1 before the first."""
    done = [line.split() for line in told.read_text().splitlines() if line.startswith("done ")]
    return max((int(line[2]) for line in done if len(line) == 3), default=-1)


def checked(snapshot: Path, trust: bytes | None = None) -> SnapshotReport:
    """What a snapshot of small chunks is of."""
    return verify(snapshot, trust, chunk_bytes=SMALL)


# Taking


def test_a_snapshot_is_of_the_last_block_and_leaves_the_chain_as_it_is(
    kept: Path, tmp_path: Path
) -> None:
    """
    Given a closed chain,
    when a snapshot is taken and verified with the chain's trust file,
    then it has the height, root and number of rows of the chain, of which no file has changed.
    """
    before = files_of(kept)
    report = take(kept, tmp_path / "snapshot")

    with open_chain(shutil.copytree(kept, tmp_path / "chain")) as chain:
        head = chain.head()
    assert (report.height, report.time, report.state_root, report.rows, report.chain) == (
        head.height,
        head.time,
        head.state_root,
        head.rows,
        head.chain,
    )
    assert verify(tmp_path / "snapshot", trust_of(kept), Folder(kept).genesis()) == report
    assert {name: data for name, data in files_of(kept).items() if "lock" not in name} == {
        name: data for name, data in before.items() if "lock" not in name
    }
    assert sorted(files_of(tmp_path / "snapshot")) == [
        "chunks/all.rows",
        "genesis.json",
        "history/entries",
        "history/headers",
        "history/outcomes",
        "manifest.json",
    ]


def test_the_same_state_has_the_same_snapshot(kept: Path, taken: Path, tmp_path: Path) -> None:
    """
    Given a chain whose rows and headers were removed and made again from the log,
    when a snapshot of it is taken,
    then each file is byte for byte that of the chain before.
    """
    folder = shutil.copytree(kept, tmp_path / "chain")
    shutil.rmtree(folder / "state")
    (folder / "headers").unlink()
    open_chain(folder).close()
    (folder / "headers").unlink()  # the header is found in the log as well

    take(folder, tmp_path / "snapshot", chunk_bytes=SMALL)

    assert len(list((taken / "chunks").iterdir())) > 1
    assert files_of(tmp_path / "snapshot") == files_of(taken)


def test_a_chain_that_was_upgraded_has_snapshots(tmp_path: Path) -> None:
    """
    Given a chain whose code is named by an upgrade, and no more by genesis,
    when a snapshot is taken,
    then it has the rows and the root that the audit counts.
    """
    folder = upgraded(tmp_path / "chain", BEGINS + 1)
    report = take(folder, tmp_path / "snapshot")

    counted = audit_folder(folder)
    assert (report.rows, report.state_root) == (counted.rows, counted.state_root)


def test_snapshots_beside_a_process_that_pays_are_each_of_one_block(tmp_path: Path) -> None:
    """
    Given another process that has the chain open and pays without a pause,
    when snapshots are taken meanwhile, and that process is killed,
    then blocks went on between them, and each has the root that the log's header of its height has.
    """
    kept = keep(tmp_path / "chain")
    command = [sys.executable, str(payer.__file__), str(kept.folder), kept.shop]
    told = tmp_path / "told"
    reports: list[SnapshotReport] = []
    with told.open("w") as lines, subprocess.Popen(command, stdout=lines) as process:
        try:
            while len(reports) < ONLINE:
                with pytest.raises(subprocess.TimeoutExpired):
                    process.wait(LOOK_AGAIN_S)
                before = reports[-1].height if reports else kept.head.height
                if acknowledged(told) >= before + 2 * BLOCKS_BEHIND:
                    target = tmp_path / f"snapshot-{len(reports)}"
                    reports.append(take(kept.folder, target, chunk_bytes=SMALL))
        finally:
            process.kill()
    heights = [report.height for report in reports]
    with reopen(kept.folder) as chain:
        headers = [read_header(chain.block(height).header)[0] for height in heights]
    assert heights == sorted(set(heights))
    assert [header.state for header in headers] == [report.state_root for report in reports]


@pytest.mark.parametrize("stage", STAGES)
def test_a_kill_at_any_stage_leaves_nothing_under_the_name(
    kept: Path, taken: Path, tmp_path: Path, stage: str
) -> None:
    """
    Given a process that is killed while it copies, parts, cuts or verifies,
    when a snapshot is taken to the same folder afterwards,
    then nothing was there, and this one is as any other.
    """
    target = tmp_path / "snapshot"
    command = [sys.executable, str(snapshot_taker.__file__), str(kept), str(target), stage]
    ended = subprocess.run(command, check=False)

    assert (ended.returncode, target.exists()) == (-9, False)
    assert [path.name for path in tmp_path.iterdir()] == ["snapshot.new"]
    take(kept, target, chunk_bytes=SMALL)
    assert [path.name for path in tmp_path.iterdir()] == ["snapshot"]
    assert files_of(target) == files_of(taken)


def test_a_full_disk_leaves_nothing_behind(kept: Path, tmp_path: Path) -> None:
    """
    Given a disk with no space, then with a little more at each try,
    when a snapshot is taken to it,
    then it is told that the disk is full, nothing of it is left, until there is space for all.
    """
    (tmp_path / "mounted").mkdir()
    lines = play(small_disk_snapshot, "taken", str(kept), str(tmp_path / "mounted")).splitlines()

    assert len(lines) > FULL_TRIES
    assert lines == ["full ['filled']"] * (len(lines) - 1) + ["taken 5"]


def test_what_is_there_already_is_never_touched(kept: Path, tmp_path: Path) -> None:
    """
    Given a folder, a link to nowhere, and files of others where a snapshot begins,
    when a snapshot is taken to each,
    then it is refused and all is as it was.
    """
    for name in ("folder", "others.new", "linked"):
        (tmp_path / name).mkdir()
    (tmp_path / "others.new" / "letter").write_text("mine")
    (tmp_path / "linked" / "work").write_text("mine")
    (tmp_path / "a-file.new").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "b-link.new").symlink_to("linked")
    before = files_of(tmp_path)

    for name, text in (
        ("folder", "is there already"),
        ("link", "is there already"),
        ("others", "move it away"),
        ("a-file", "move it away"),
        ("b-link", "move it away"),
        ("missing/snapshot", "there is no folder"),
    ):
        with pytest.raises(FolderError, match=text):
            take(kept, tmp_path / name)
    assert files_of(tmp_path) == before


def test_two_processes_do_not_make_one_snapshot(kept: Path, tmp_path: Path) -> None:
    """
    Given a snapshot that is being made,
    when another is taken to the same folder,
    then it is refused as busy, and the first goes on.
    """
    with new_folder(tmp_path / "snapshot") as new:
        with pytest.raises(FolderInUse, match="another process"):
            take(kept, tmp_path / "snapshot")
        (new / "manifest.json").write_text("first")
    assert files_of(tmp_path) == {"snapshot/manifest.json": b"first"}


def test_rows_that_are_not_those_of_the_signed_header_are_refused(
    kept: Path, tmp_path: Path
) -> None:
    """
    Given a chain in whose rows somebody has changed a value,
    when a snapshot is taken,
    then it is refused, because the header says another root, and nothing is left.
    """
    folder = shutil.copytree(kept, tmp_path / "chain")
    with lmdb.open(str(folder / "state"), max_dbs=3) as environment:
        rows = environment.open_db(b"rows")
        with environment.begin(write=True) as transaction, transaction.cursor(db=rows) as cursor:
            assert cursor.first()
            transaction.put(cursor.key(), b"changed", db=rows)

    with pytest.raises(BadSnapshot, match="they are not that block's"):
        take(folder, tmp_path / "snapshot")
    assert [path.name for path in tmp_path.iterdir()] == ["chain"]


def test_a_folder_without_rows_or_with_damaged_ones_is_told(kept: Path, tmp_path: Path) -> None:
    """
    Given a chain whose rows are gone, or noise,
    when a snapshot is taken,
    then that folder is named, and nothing is left.
    """
    folder = shutil.copytree(kept, tmp_path / "chain")
    data = folder / "state" / "data.mdb"
    good = data.read_bytes()
    data.write_bytes(good[:8192] + Random(1).randbytes(len(good) - 8192))
    with pytest.raises(StoreError, match=str(folder / "state")):
        take(folder, tmp_path / "snapshot")
    shutil.rmtree(folder / "state")
    with pytest.raises(StoreError, match="has no rows yet"):
        take(folder, tmp_path / "snapshot")
    assert [path.name for path in tmp_path.iterdir()] == ["chain"]


# Verifying


def test_any_flipped_bit_of_any_file_is_refused(copied: Path, kept: Path) -> None:
    """
    Given a snapshot,
    when any bit of any of its files is another,
    then it is refused, with the trust file and without.
    """
    random = Random(7)
    report = checked(copied, trust_of(kept))
    for name, data in files_of(copied).items():
        bits = range(len(data) * 8)
        for bit in random.sample(bits, min(FLIPS, len(bits))):
            changed = bytearray(data)
            changed[bit // 8] ^= 1 << bit % 8
            (copied / name).write_bytes(changed)
            with pytest.raises(StoreError):
                checked(copied)
        (copied / name).write_bytes(data)
    assert checked(copied, trust_of(kept)) == report


def test_a_snapshot_of_another_chain_is_refused(
    copied: Path, taken: Path, kept: Path, tmp_path: Path
) -> None:
    """
    Given the trust file and genesis of another chain, and that genesis in the snapshot,
    when the snapshot is verified,
    then it is refused.
    """
    other = keep(tmp_path / "other", "other").folder
    genesis = Folder(other).genesis()

    with pytest.raises(WrongChain, match="was asked for"):
        checked(taken, trust_of(other))
    with pytest.raises(WrongChain, match="ask for one of this chain"):
        verify(taken, genesis=genesis, chunk_bytes=SMALL)
    with pytest.raises(VerificationError, match="TRUST_IS_UNREADABLE"):
        checked(taken, b"{}")
    others_keys = replace(trust_file(genesis), chain=chain_id(Folder(kept).genesis()))
    with pytest.raises(BadSnapshot, match="a key that is not trusted"):
        checked(taken, msgspec.json.encode(others_keys))
    shutil.copy(other / "genesis.json", copied / "genesis.json")
    with pytest.raises(BadSnapshot, match="not the one that its manifest names"):
        checked(copied)


def _link(file: Path) -> None:
    moved = file.with_name("moved")
    file.rename(file.parents[2] / moved.name)
    file.symlink_to(file.parents[2] / moved.name)


def _pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def _grow(file: Path) -> None:
    with file.open("ab") as grown:
        grown.write(b"more")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda file: file.unlink(), "is missing: fetch"),
        (_link, "is no plain file"),
        (_pipe, "is no plain file"),
        (_grow, "at most"),
        (lambda file: file.with_name("more").touch(), "more is no part"),
        (lambda file: (file.parents[1] / "notes").touch(), "notes is no part"),
        (lambda file: (file.parents[1] / "manifest.json").unlink(), "manifest.json is missing"),
        (lambda file: os.truncate(file.parents[1] / "manifest.json", 1 << 40), "at most"),
    ],
)
def test_files_that_no_snapshot_has_are_refused(
    copied: Path, change: Callable[[Path], None], text: str
) -> None:
    """
    Given a snapshot with a file too few, too many, too long, or in whose place something else is,
    when it is verified,
    then it is refused by name, and nothing is waited for.
    """
    change(next(iter((copied / "chunks").iterdir())))

    with pytest.raises(BadSnapshot, match=text):
        checked(copied)


def test_chunks_of_another_place_are_not_read(copied: Path, tmp_path: Path) -> None:
    """
    Given a snapshot whose folder of chunks is a link to one elsewhere, or that is not there,
    when it is verified,
    then it is refused.
    """
    (copied / "chunks").rename(tmp_path / "elsewhere")
    (copied / "chunks").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadSnapshot, match="is no folder"):
        checked(copied)
    with pytest.raises(FolderMissing):
        checked(tmp_path / "nothing")
