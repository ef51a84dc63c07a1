"""A chain's state becomes the beginning of another: same rows and root, other keys, old proofs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

import msgspec
import pytest
from msgspec.structs import replace

from tests.sdk.kept_chain import CNY, OWNER, PASSPHRASE, Kept, keep, pay, reopen, rows_of, whole
from tongbao.kernel import GenesisError, InvalidTransaction
from tongbao.kernel.genesis import read_genesis
from tongbao.sdk.audit import audit_folder
from tongbao.sdk.backup import back_up
from tongbao.sdk.doctor import examine
from tongbao.sdk.folder import Folder, FolderError
from tongbao.sdk.genesis_export import check_export, export
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.local import Chain
from tongbao.sdk.opening import OPERATOR, open_chain, operator_wallet
from tongbao.sdk.pruning import prune
from tongbao.sdk.restore import restore
from tongbao.sdk.snapshots import take, verify
from tongbao.sdk.verification import verify as verify_proof
from tongbao.store.base import base_name
from tongbao.store.errors import FolderInUse, Pruned, StoreError, WrongChain


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """A chain of six blocks, closed."""
    return keep(tmp_path / "old")


def exported(kept: Kept, name: str = "network") -> Path:
    """The folder of a new chain that begins with the rows of the kept one."""
    target = kept.folder.with_name(name)
    export(kept.folder, target, name, passphrase=PASSPHRASE)
    return target


def operate(chain: Chain, kept: Kept) -> None:
    """The operator of the old chain pays on the new one, with the key that it has there."""
    key = Keystore(kept.folder / "keys").unlock(OPERATOR, PASSPHRASE)
    chain.wallet(OWNER, key).send(pay(kept.shop, "4.00"))


def test_the_new_chain_begins_with_the_state_root_of_the_old(kept: Kept) -> None:
    """
    Given a chain,
    when its state is exported and the new chain is opened with its own authority,
    then rows are the same, block 7 is of the new chain over the same root, and it goes on.
    """
    report = export(kept.folder, kept.folder.with_name("new"), "network", passphrase=PASSPHRASE)
    assert (report.height, report.state_root) == (kept.head.height, kept.head.state_root)
    with reopen(kept.folder.with_name("new")) as chain:
        head, owner, shop = rows_of(kept, chain)
        assert (owner, shop) == whole(kept)[1:]
        assert (head.height, head.state_root) == (kept.head.height + 1, kept.head.state_root)
        assert head.chain == report.chain != kept.head.chain
        operate(chain, kept)
        assert chain.head().height == kept.head.height + 2
        assert chain.audit() == []
    assert audit_folder(kept.folder.with_name("new")).findings == ()
    assert examine(kept.folder.with_name("new"), is_deep=True).exit_code == 0


def test_history_is_verified_by_the_proofs_of_the_old_chain(kept: Kept) -> None:
    """
    Given proofs of a transaction and of a row that the old chain has written,
    when the new chain has begun,
    then they are proofs under the old trust file, and where old transactions stand is answered.
    """
    with reopen(kept.folder) as old:
        sent = old.block(3).outbox[0][0].hex()
        proofs = [
            old.prove_transaction(sent),
            old.prove_row("asset.holdings", (kept.shop, CNY)),
        ]
        trust, known = Folder(kept.folder).trust_file.read_bytes(), old.status(sent)
    with reopen(exported(kept)) as chain:
        for proof in proofs:
            verify_proof(msgspec.json.encode(proof), trust)
        found = chain.status(sent)
        assert (found.state, found.height) == (known.state, known.height)
        with pytest.raises(Pruned, match="block 3 was pruned"):
            chain.block(3)
        row = chain.prove_row("asset.holdings", (kept.shop, CNY))
    new_trust = (kept.folder.with_name("network") / "trust.json").read_bytes()
    verify_proof(msgspec.json.encode(row), new_trust)


def test_a_transaction_of_the_old_chain_is_none_of_the_new(kept: Kept) -> None:
    """
    Given a transaction that was signed for the old chain,
    when it is sent to the new one,
    then it is invalid: it names another chain.
    """
    with reopen(kept.folder) as old:
        wire = old.block(3).transactions[0]
    with reopen(exported(kept)) as chain, pytest.raises(InvalidTransaction):
        chain.queue(wire)


def test_a_killed_first_start_begins_again(kept: Kept) -> None:
    """
    Given an exported chain whose first block was lost with its log,
    when it is opened again,
    then it makes the same first block.
    """
    folder = exported(kept)
    with reopen(folder) as chain:
        first = chain.block(kept.head.height + 1)
    for name in ("log", "state"):
        (folder / name).rename(folder / f"{name}.away")
    (folder / "headers").unlink()
    with reopen(folder) as chain:
        assert chain.block(kept.head.height + 1) == first


def test_it_can_be_exported_pruned_and_taken_again(kept: Kept) -> None:
    """
    Given a chain that began with another's rows and has gone on,
    when it is pruned, a snapshot is taken of it, and it is exported in its turn,
    then each is whole, and all headers since the first chain's are there.
    """
    folder = exported(kept)
    with reopen(folder) as chain:
        operate(chain, kept)
        height = chain.head().height
    prune(folder, 0)
    assert audit_folder(folder).findings == ()
    taken = kept.folder.with_name("snapshot")
    take(folder, taken)
    assert verify(taken, (folder / "trust.json").read_bytes()).headers == height + 1
    export(folder, kept.folder.with_name("third"), "third", passphrase=PASSPHRASE)
    with reopen(kept.folder.with_name("third")) as chain:
        operate(chain, kept)
        assert chain.head().height == height + 2
    assert audit_folder(kept.folder.with_name("third")).findings == ()


def test_what_was_exported_is_verified(kept: Kept) -> None:
    """
    Given an exported folder,
    when it is checked under the old chain's trust file, and again with other rows in it,
    then it is believed, and then refused.
    """
    folder, trust = exported(kept), (kept.folder / "trust.json").read_bytes()
    assert check_export(folder, trust).origin == kept.head.chain
    other = keep(kept.folder.with_name("other"), "other")
    for wrong in (other.folder, folder):
        with pytest.raises(WrongChain, match=f"give the trust file of {kept.head.chain}"):
            check_export(folder, (wrong / "trust.json").read_bytes())
    strange = exported(other, "strange")
    base = f"base-{kept.head.height:010d}"
    (folder / base).rename(folder / "away")
    (strange / base).rename(folder / base)
    with pytest.raises(WrongChain):
        check_export(folder, trust)
    with pytest.raises(WrongChain):
        reopen(folder)


def test_a_chain_that_is_open_or_bare_is_refused(kept: Kept) -> None:
    """
    Given a chain that is open, an export without its rows, and a name that is taken,
    when each is used,
    then it is refused and says why, and nothing is left.
    """
    target = kept.folder.with_name("network")
    with reopen(kept.folder), pytest.raises(FolderInUse):
        export(kept.folder, target, "network", passphrase=PASSPHRASE)
    assert not target.exists()
    folder = exported(kept)
    with pytest.raises(FolderError, match="is there already"):
        export(kept.folder, folder, "network", passphrase=PASSPHRASE)
    with pytest.raises(FolderError, match="of its own"):
        open_chain(folder)
    (folder / f"base-{kept.head.height:010d}").rename(folder / "away")
    (folder / "headers").unlink()
    (folder / "state").rename(folder / "away-too")
    with pytest.raises(FolderError, match="which are not here"):
        reopen(folder)


def test_rows_that_the_old_chain_has_made_later_are_not_gone_on_from(kept: Kept) -> None:
    """
    Given an exported chain, and an old one that goes on in spite of it,
    when somebody puts the old chain's later rows beside those that were exported,
    then the new chain is refused, and a check says that they are no part of the export.
    """
    folder = exported(kept)
    assert check_export(folder).others == ()
    with reopen(kept.folder) as old:
        operator_wallet(old, kept.folder, PASSPHRASE).send(pay(kept.shop, "5.00"))
    later = f"base-{kept.head.height + 1:010d}"
    take(kept.folder, folder / "taken")
    (folder / "taken").rename(folder / later)
    assert check_export(folder).others == (later,)
    with pytest.raises(WrongChain, match="as they were exported"):
        reopen(folder)
    (folder / later).rename(folder.with_name("away"))
    with reopen(folder) as chain:
        operate(chain, kept)


def test_a_trust_file_of_somebody_else_is_no_part_of_an_export(kept: Kept) -> None:
    """
    Given an exported folder with a trust file that is not the one of its genesis file,
    when it is checked,
    then it is refused: whoever hands that file on would be believed for other keys.
    """
    folder = exported(kept)
    (folder / "trust.json").write_bytes((kept.folder / "trust.json").read_bytes())
    with pytest.raises(WrongChain, match="hand it to nobody"):
        check_export(folder)


def test_a_restored_chain_can_be_compared_with_the_old_one(kept: Kept) -> None:
    """
    Given a chain that began with another's rows and has gone on, and a backup of it,
    when that is restored,
    then what it began with is verified by the old chain's trust file, as before.
    """
    folder, restored = exported(kept), kept.folder.with_name("restored")
    reopen(folder).close()
    back_up(folder, kept.folder.with_name("backup"))
    restore(kept.folder.with_name("backup"), restored)
    trust = (kept.folder / "trust.json").read_bytes()
    found = check_export(restored, trust)
    assert replace(found, others=()) == replace(check_export(folder, trust), others=())
    assert {"log", "state"} <= set(found.others)


@pytest.mark.parametrize("seed", range(4))
def test_an_export_that_was_killed_is_given_again(kept: Kept, seed: int) -> None:
    """
    Given a chain that is being exported,
    when that process is killed at any step,
    then there is a whole folder or none, and the same command makes one, with nothing beside it.
    """
    target = kept.folder.with_name("network")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.sdk.exporter", str(kept.folder), str(target)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process, process.stdout:
        for _ in range(Random(seed).randint(1, 12)):
            if process.stdout.readline() in ("", "done\n"):
                break
        process.kill()
    if not target.exists():
        exported(kept)
    assert check_export(target).height == kept.head.height
    assert not list(kept.folder.parent.glob("*.new"))
    with reopen(target) as chain:
        operate(chain, kept)
    with reopen(kept.folder) as old:
        assert rows_of(kept, old) == whole(kept)


@pytest.mark.parametrize(
    ("name", "authority"),
    [("", None), ("1st", None), ("Network", None)]
    + [("network", key) for key in ("", "abc", "A" * 43)],
)
def test_what_no_chain_could_begin_with_is_refused(
    kept: Kept, name: str, authority: str | None
) -> None:
    """
    Given a name that no chain can have, text that is no key, and a key that nobody can sign with,
    when a chain is exported under them,
    then it is refused before anything is made: such a folder could never be opened.
    """
    target = kept.folder.with_name("network")
    with pytest.raises(GenesisError):
        export(kept.folder, target, name, authority=authority, passphrase=PASSPHRASE)
    assert not target.exists()


def test_a_genesis_file_with_an_origin_has_no_rows_of_its_own(kept: Kept) -> None:
    """
    Given an exported genesis file to which somebody adds the rows of a module,
    when it is read,
    then it is refused.
    """
    text = (exported(kept) / "genesis.json").read_bytes()
    own = msgspec.json.decode((kept.folder / "genesis.json").read_bytes())
    changed = msgspec.json.decode(text) | {"sections": own["sections"]}
    with pytest.raises(GenesisError, match="with an origin"):
        read_genesis(msgspec.json.encode(changed, order="sorted"))


def test_without_a_block_of_its_own_no_command_speaks_of_loss(kept: Kept, tmp_path: Path) -> None:
    """
    Given a new chain that has no block yet,
    when it is backed up, or a snapshot is taken,
    then each says that it has none yet, and not that blocks were lost or rows are wrong.
    """
    folder = exported(kept)
    with pytest.raises(FolderError, match="no block of its own yet"):
        open_chain(folder)
    for ask in (back_up, take):
        with pytest.raises(StoreError, match="no block of its own yet"):
            ask(folder, tmp_path / "target")


@pytest.mark.parametrize("has_log", [True, False])
def test_a_base_that_is_gone_is_told_as_that(kept: Kept, has_log: bool) -> None:
    """
    Given a new chain whose base somebody has removed, with or without its own blocks,
    when it is opened and examined,
    then both say that the base is missing, and agree that the chain can't be used.
    """
    folder = exported(kept)
    reopen(folder).close()
    shutil.rmtree(folder / base_name(kept.head.height))
    if not has_log:
        for name in ("log", "state"):
            shutil.rmtree(folder / name)
        (folder / "headers").unlink()
    with pytest.raises((FolderError, StoreError), match=r"`base-\.\.\.`"):
        reopen(folder)
    report = examine(folder)
    first = next(each for each in report.findings if each.exit_code)
    assert report.exit_code
    assert first.check == "base" and "`base-...`" in first.text
