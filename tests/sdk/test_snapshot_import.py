"""A chain that begins at a snapshot: the same rows and answers, and it goes on."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec
import pytest
from msgspec.structs import replace

from tests.fixed_chain import key
from tests.sdk import small_disk_snapshot, snapshot_importer
from tests.sdk.kept_chain import CNY, OWNER, PASSPHRASE, keep, reopen, rows_of, whole
from tests.sdk.kept_chain import Kept as KeptChain
from tests.sdk.snapshot_importer import IMPORT_STAGES
from tests.sdk.test_opening_upgraded import BEGINS
from tests.sdk.test_opening_upgraded import kept as upgraded
from tests.small_mount import play
from tests.store.blocks import files_of
from tongbao.sdk.audit import audit_folder
from tongbao.sdk.folder import Folder, FolderError, trust_bytes
from tongbao.sdk.opening import open_chain, operator_wallet
from tongbao.sdk.snapshot_import import import_snapshot
from tongbao.sdk.snapshots import take, verify
from tongbao.sdk.verification import VerificationError
from tongbao.sdk.verification import verify as verify_proof
from tongbao.store.base import base_name
from tongbao.store.errors import Pruned, StoreError, WrongChain
from tongbao.store.snapshot.errors import BadSnapshot
from tongbao.store.snapshot.history import entries_file, read_entries, read_outcomes
from tongbao.store.snapshot.names import HISTORY

FULL_TRIES: Final = 5
"""There are more of them than this until a small chain finds space."""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> KeptChain:
    """A closed chain of six blocks, which no test changes."""
    return keep(tmp_path_factory.mktemp("kept") / "chain")


@pytest.fixture(scope="module")
def taken(kept: KeptChain) -> Path:
    """A snapshot of it, which no test changes."""
    take(kept.folder, kept.folder.with_name("taken"))
    return kept.folder.with_name("taken")


@pytest.fixture
def copied(taken: Path, tmp_path: Path) -> Path:
    """A copy of the snapshot."""
    return Path(shutil.copytree(taken, tmp_path / "copied"))


@pytest.fixture
def trust(kept: KeptChain) -> bytes:
    """The trust file of the chain."""
    return trust_bytes(Folder(kept.folder).genesis())


def with_keys(folder: Path, kept: KeptChain) -> Path:
    """The folder, to which the chain's keys were brought."""
    shutil.copytree(kept.folder / "keys", folder / "keys")
    return folder


# Importing


def test_an_imported_chain_answers_as_the_one_it_was_taken_of(
    kept: KeptChain, taken: Path, tmp_path: Path, trust: bytes
) -> None:
    """
    Given a snapshot,
    when it is imported and the folder opened, first without its keys,
    then head, rows, old outcomes, headers and proofs are those of the old folder; the bodies of old
    blocks are told to be pruned, and the audit finds nothing.
    """
    folder = tmp_path / "chain"
    report = import_snapshot(taken, folder, trust, Folder(kept.folder).genesis())

    assert report == verify(taken)
    assert sorted(path.name for path in folder.iterdir()) == [
        base_name(report.height),
        "genesis.json",
        "trust.json",
    ]
    statuses = dict(
        read_outcomes(taken / HISTORY / "outcomes", report.chain, report.height),
    )
    old = Path(shutil.copytree(kept.folder, tmp_path / "old"))
    with open_chain(folder) as chain, open_chain(old) as before:
        assert rows_of(kept, chain) == whole(kept)
        assert chain.head() == before.head()
        for transaction_id in statuses:
            assert chain.status(transaction_id.hex()) == before.status(transaction_id.hex())
        for height in range(report.height):
            with pytest.raises(Pruned):
                chain.block(height)
        with chain.reading():
            proof = chain.prove_row("asset.holdings", (OWNER, CNY))
    assert verify_proof(msgspec.json.encode(proof), trust).height == report.height
    assert statuses
    counted = audit_folder(folder)
    assert (counted.findings, counted.rows, counted.index_entries) == (
        (),
        report.rows,
        report.entries,
    )


def test_an_imported_chain_goes_on_with_the_authoritys_key(
    kept: KeptChain, taken: Path, tmp_path: Path, trust: bytes
) -> None:
    """
    Given an imported chain to which the keys were brought,
    when blocks are made, and the folder is opened once more,
    then they follow the old ones, and a snapshot of it has all headers and outcomes, from genesis.
    """
    before = verify(taken)
    import_snapshot(taken, tmp_path / "chain", trust)
    folder = with_keys(tmp_path / "chain", kept)
    with reopen(folder) as chain:
        wallet = operator_wallet(chain, folder, PASSPHRASE)
        wallet.open_account(key("another shop"))
        head = chain.head()
    with reopen(folder) as chain:
        assert chain.head() == head
    later = take(folder, tmp_path / "later")

    assert verify(tmp_path / "later", trust) == later
    assert (later.height, later.headers, later.outcomes) == (
        before.height + 1,
        before.headers + 1,
        before.outcomes + 1,
    )
    assert audit_folder(folder).findings == ()
    import_snapshot(tmp_path / "later", tmp_path / "again", trust)
    with open_chain(tmp_path / "again") as chain:
        assert chain.head() == head


def test_a_snapshot_of_an_imported_chain_is_the_one_it_came_from(
    taken: Path, tmp_path: Path, trust: bytes
) -> None:
    """
    Given an imported chain that was opened once,
    when a snapshot of it is taken, also with its copy of the headers gone,
    then it is byte for byte the first.
    """
    import_snapshot(taken, tmp_path / "chain", trust)
    open_chain(tmp_path / "chain").close()
    take(tmp_path / "chain", tmp_path / "first")
    (tmp_path / "chain" / "headers").unlink()
    take(tmp_path / "chain", tmp_path / "second")

    assert files_of(tmp_path / "first") == files_of(taken)
    assert files_of(tmp_path / "second") == files_of(taken)


def test_a_base_is_its_snapshot(taken: Path, tmp_path: Path, trust: bytes) -> None:
    """
    Given a snapshot,
    when it is imported,
    then the base has each of its files byte for byte; the entries too, though made out of rows.
    """
    report = import_snapshot(taken, tmp_path / "chain", trust)
    assert files_of(tmp_path / "chain" / base_name(report.height)) == files_of(taken)


def test_a_chain_that_was_upgraded_is_imported(tmp_path: Path) -> None:
    """
    Given a snapshot of a chain whose code is named by an upgrade, and no more by genesis,
    when it is imported,
    then the code is found, and the audit counts what it counts in the old folder.
    """
    old = upgraded(tmp_path / "old", BEGINS + 1)
    take(old, tmp_path / "snapshot")
    import_snapshot(tmp_path / "snapshot", tmp_path / "chain", genesis=Folder(old).genesis())

    assert replace(audit_folder(tmp_path / "chain"), blocks=0, transactions=0) == replace(
        audit_folder(old), blocks=0, transactions=0
    )


def test_entries_are_made_of_rows_and_not_believed(copied: Path, tmp_path: Path) -> None:
    """
    Given a snapshot whose local rows are whole, but lack one and have another's value,
    when it is imported,
    then the chain has the entries of its rows.
    """
    report = verify(copied)
    of = (report.chain, report.height)
    path = copied / HISTORY / "entries"
    good = list(read_entries(path, *of))
    path.write_bytes(b"".join(entries_file(*of, [(good[0][0], b"another"), *good[2:]])))

    import_snapshot(copied, tmp_path / "chain")
    made = tmp_path / "chain" / base_name(report.height) / HISTORY / "entries"
    assert list(read_entries(made, *of)) == good


# Refusing


def test_rows_alone_begin_no_chain(copied: Path, tmp_path: Path) -> None:
    """
    Given a snapshot without history,
    when it is imported,
    then it is refused with what to do, and nothing is left.
    """
    shutil.rmtree(copied / HISTORY)
    with pytest.raises(BadSnapshot, match=r"rows only.*take a snapshot with this version"):
        import_snapshot(copied, tmp_path / "chain")
    assert [path.name for path in tmp_path.iterdir()] == ["copied"]


def test_a_snapshot_of_a_chain_that_was_not_asked_for_is_refused(
    taken: Path, tmp_path: Path
) -> None:
    """
    Given the trust file and the genesis of another chain, and a file that is neither,
    when the snapshot is imported with each,
    then it is refused, and nothing is left.
    """
    other = Folder(keep(tmp_path / "other", "other").folder).genesis()
    with pytest.raises(WrongChain, match="was asked for"):
        import_snapshot(taken, tmp_path / "chain", trust_bytes(other))
    with pytest.raises(WrongChain, match="ask for one of this chain"):
        import_snapshot(taken, tmp_path / "chain", genesis=other)
    with pytest.raises(VerificationError, match="TRUST_IS_UNREADABLE"):
        import_snapshot(taken, tmp_path / "chain", b"{}")
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_damage_to_any_file_is_refused_and_leaves_nothing(copied: Path, tmp_path: Path) -> None:
    """
    Given a snapshot,
    when any file of it has another last byte, lacks it, is a link, or is gone,
    then it is not imported, and nothing is left.
    """
    for name, data in files_of(copied).items():
        path = copied / name
        for changed in (data[:-1] + bytes([data[-1] ^ 1]), data[:-1]):
            path.write_bytes(changed)
            with pytest.raises(StoreError):
                import_snapshot(copied, tmp_path / "chain")
        path.unlink()
        with pytest.raises(StoreError):
            import_snapshot(copied, tmp_path / "chain")
        (tmp_path / "elsewhere").write_bytes(data)
        path.symlink_to(tmp_path / "elsewhere")
        with pytest.raises(BadSnapshot, match="no plain file"):
            import_snapshot(copied, tmp_path / "chain")
        path.unlink()
        (tmp_path / "elsewhere").unlink()
        path.write_bytes(data)
        assert [each.name for each in tmp_path.iterdir()] == ["copied"]
    import_snapshot(copied, tmp_path / "chain")


def test_a_folder_that_is_there_is_never_touched(
    kept: KeptChain, taken: Path, tmp_path: Path
) -> None:
    """
    Given a chain, an empty folder, and files of others where the new one begins,
    when a snapshot is imported to each,
    then it is refused and all is as it was.
    """
    shutil.copytree(kept.folder, tmp_path / "chain")
    (tmp_path / "empty").mkdir()
    (tmp_path / "others.new").mkdir()
    (tmp_path / "others.new" / "base-1").write_text("mine")
    before = files_of(tmp_path)
    for name, text in (
        ("chain", "is there already"),
        ("empty", "is there already"),
        ("others", "move it away"),
        ("missing/chain", "there is no folder"),
    ):
        with pytest.raises(FolderError, match=text):
            import_snapshot(taken, tmp_path / name)
    assert files_of(tmp_path) == before
    assert not list((tmp_path / "empty").iterdir())


@pytest.mark.parametrize("stage", IMPORT_STAGES)
def test_a_killed_import_leaves_no_chain(taken: Path, tmp_path: Path, stage: str) -> None:
    """
    Given a process that is killed while it imports,
    when the snapshot is imported to the same folder afterwards,
    then nothing was there, and this one is as any other.
    """
    target = tmp_path / "chain"
    command = [sys.executable, str(snapshot_importer.__file__), str(taken), str(target), stage]
    ended = subprocess.run(command, check=False)

    assert (ended.returncode, target.exists()) == (-9, False)
    assert [path.name for path in tmp_path.iterdir()] == ["chain.new"]
    report = import_snapshot(taken, target)
    assert [path.name for path in tmp_path.iterdir()] == ["chain"]
    assert files_of(target / base_name(report.height)) == files_of(taken)


def test_a_full_disk_leaves_no_chain(taken: Path, tmp_path: Path) -> None:
    """
    Given a disk with no space, then with a little more at each try,
    when a snapshot is imported to it,
    then it is told that the disk is full, nothing of it is left, until there is space for all.
    """
    (tmp_path / "mounted").mkdir()
    lines = play(
        small_disk_snapshot, "imported", str(taken), str(tmp_path / "mounted")
    ).splitlines()

    assert len(lines) > FULL_TRIES
    assert lines == ["full ['filled']"] * (len(lines) - 1) + ["imported 5"]
