"""`tongbao genesis`: a chain goes on in another, everybody can check it, wrong values are told."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.calling import Place
from tests.sdk.kept_chain import PASSPHRASE, keep, reopen
from tongbao.cli.exits import Exit


@pytest.fixture
def old(first_blocks: Path, tmp_path: Path) -> Place:
    """A chain of its own for each test, at height 4: alice has 100.00 CNY, bob nothing."""
    return Place(Path(shutil.copytree(first_blocks, tmp_path / "old")))


def test_a_chain_is_backed_up_pruned_and_goes_on_in_another(old: Place, tmp_path: Path) -> None:
    """
    Given a chain on which alice has paid bob, with a proof of it,
    when it is backed up, pruned, restored from the backup, and exported as a new chain on which
    alice pays bob again,
    then the new chain begins with the old root at the next block and with its own authority, and
    the old proof is verified by the old trust file, and by no other.
    """
    pay = ("asset", "transfer", "--asset", "CNY", "--payee", "bob", "--as", "alice", "--amount")
    sent = old.do(*pay, "12.50")["id"]
    proof, trust = str(tmp_path / "paid.proof"), str(tmp_path / "trust.json")
    old.do("proof", "transaction", sent, "--out", proof)
    old.do("proof", "trust", "--out", trust)
    head = old.do("status")

    old.do("backup", "--snapshot", "--to", str(tmp_path / "backup"))
    assert old.do("prune", "--keep-blocks", "1")["base"] == head["height"] == 5
    restored = Place(tmp_path / "restored")
    restored.do("restore", str(tmp_path / "backup"), "--trust", trust)
    assert restored.do("status") == old.do("status") == head

    new = Place(tmp_path / "new")
    told = restored.call("genesis", "export", "--to", str(new.folder), "--name", "network")
    verified = new.do("genesis", "verify", str(new.folder), "--trust", trust)
    what = f"begins with {head['rows']} rows of block 5 of {head['chain']}, in {new.folder}"
    assert (told.code, told.last) == (0, f"genesis: chain {verified['chain']} {what}")
    assert "must not go on" in told.err
    assert (verified["state_root"], verified["height"]) == (head["state_root"], 5)

    for name in ("alice.json", "bob.json"):
        shutil.copy(old.folder / "keys" / name, new.folder / "keys")
    shutil.copy(old.folder / "accounts.json", new.folder)
    assert new.do(*pay, "0.50")["height"] == 7
    balance = new.do("asset", "balance", "--account", "bob", "--asset", "CNY.operator")
    assert balance["value"]["amount"] == "13.00"
    assert new.do("status", sent)["height"] == 5
    assert new.call("tx", "show", sent).code == Exit.NOTHING
    begun = new.call("genesis", "verify", str(new.folder), "--trust", trust)
    assert begun.last.endswith(
        ", verified; not looked at: accounts.json, headers, lock, log, state"
    )
    assert new.do("audit")["findings"] == []
    assert new.call("verify", proof, "--trust", trust).code == 0
    foreign = new.call("verify", proof, "--trust", str(new.folder / "trust.json"))
    assert foreign.code == Exit.WRONG


def test_the_authority_may_be_a_key_that_is_kept_elsewhere(old: Place, tmp_path: Path) -> None:
    """
    Given a key that was made in another folder,
    when a chain is exported with its public half for authority,
    then no passphrase is asked for, no keys are in the folder, it has no block before the key is
    there, and begins with it.
    """
    signer = Place(tmp_path / "signer")
    public = signer.do("keys", "create", "authority")["public"]
    new = Place(tmp_path / "new")
    words = ("genesis", "export", "--to", str(new.folder), "--name", "network")
    told = Place(old.folder, None).do(*words, "--authority", public)
    assert told["authority"] == public
    assert not (new.folder / "keys").exists()

    early = new.call("status")
    assert (early.code, "no block of its own yet" in early.err) == (Exit.NO_INPUT, True)
    shutil.copytree(signer.folder / "keys", new.folder / "keys")
    shutil.copy(old.folder / "keys" / "operator.json", new.folder / "keys")
    shutil.copy(old.folder / "accounts.json", new.folder)
    assert new.do("account", "create", "carol")["height"] == 6


def test_a_name_key_or_passphrase_that_no_chain_can_have_is_told(
    old: Place, tmp_path: Path
) -> None:
    """
    Given a chain,
    when it is exported under a name that no chain can have, an authority that is no key, or a
    passphrase that is too short, missing or empty,
    then each ends with its code and says what will do, and nothing is made.
    """
    target = tmp_path / "new"
    words = ("genesis", "export", "--to", str(target), "--name")
    for name in ("", "1st", "Network", "net-work", "n" * 25):
        told = old.call(*words, name)
        assert (told.code, "a letter first" in told.err) == (Exit.USAGE, True), name
    for key in ("", "abc", "A" * 43):
        told = old.call(*words, "network", "--authority", key)
        assert (told.code, "no public key" in told.err) == (Exit.USAGE, True), key
    for passphrase in ("short", "", None):
        told = Place(old.folder, passphrase).call(*words, "network")
        assert (told.code, "passphrase" in told.err) == (Exit.NO_KEY, True), passphrase
    assert old.call("genesis", "export", "--to", str(target)).code == Exit.USAGE
    assert old.call("genesis", "export", "--name", "network").code == Exit.USAGE
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old"]


def test_a_folder_that_is_there_open_or_none_is_told(
    old: Place, nowhere: Place, tmp_path: Path
) -> None:
    """
    Given a target that is there, a chain that is open, and a folder that holds no chain,
    when each is exported,
    then each ends with its code and says what to do, and nothing is made.
    """
    words = ("genesis", "export", "--name", "network", "--to")
    there = old.call(*words, str(old.folder))
    assert (there.code, "name another folder" in there.err) == (Exit.NO_INPUT, True)
    deep = old.call(*words, str(tmp_path / "none" / "new"))
    assert (deep.code, "make it, or name another" in deep.err) == (Exit.NO_INPUT, True)
    missing = Place(nowhere.folder).call(*words, str(tmp_path / "new"))
    assert (missing.code, "holds no chain" in missing.err) == (Exit.NO_INPUT, True)
    kept = keep(tmp_path / "kept")
    with reopen(kept.folder):
        opened = Place(kept.folder, PASSPHRASE).call(*words, str(tmp_path / "new"))
    assert opened.code == Exit.BUSY
    assert not list(tmp_path.glob("new*"))


def test_what_was_exported_is_checked_and_wrong_files_are_refused(
    old: Place, tmp_path: Path
) -> None:
    """
    Given an exported folder,
    when it is verified by the old trust file, by none, by the new chain's, by a file that is none,
    and after somebody has changed its rows; and a chain that began with block 0 is verified,
    then each is told with its code, and whose keys were taken.
    """
    new, trust = tmp_path / "new", str(old.folder / "trust.json")
    exported = old.do("genesis", "export", "--to", str(new), "--name", "network")
    verify = ("genesis", "verify", str(new))
    assert old.do(*verify, "--trust", trust) == exported
    by_trust, by_itself = old.call(*verify, "--trust", trust), old.call(*verify)
    assert by_trust.last.endswith(", verified") and by_trust.err == ""
    assert by_itself.last.endswith(", whole by its own files")
    assert "give --trust FILE" in by_itself.err

    wrong = old.call(*verify, "--trust", str(new / "trust.json"))
    assert wrong.code == Exit.WRONG
    assert f"give the trust file of {exported['origin']}" in wrong.err
    assert old.call(*verify, "--trust", str(new / "genesis.json")).code == Exit.WRONG
    assert old.call(*verify, "--trust", str(tmp_path / "none")).code == Exit.NO_INPUT
    first = old.call("genesis", "verify", str(old.folder))
    assert (first.code, "began with block 0" in first.err) == (Exit.NO_INPUT, True)
    assert old.call("genesis", "verify", str(tmp_path / "none")).code == Exit.NO_INPUT

    rows = new / "base-0000000004" / "chunks" / "all.rows"
    rows.write_bytes(rows.read_bytes()[:-1] + b"\xff")
    changed = old.call(*verify, "--trust", trust)
    assert (changed.code, "chunk" in changed.err) == (Exit.WRONG, True)
