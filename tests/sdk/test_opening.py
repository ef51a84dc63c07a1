"""Beginning a chain in a folder and opening it again: to write, to read, or not at all."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.fixed_chain import key
from tests.sdk.kept_chain import (
    ALONE,
    CHEAP,
    CNY,
    OWNER,
    PASSPHRASE,
    Kept,
    begin,
    fund,
    keep,
    pay,
    reopen,
    rows_of,
    whole,
    with_cheap_keys,
)
from tests.store.blocks import files_of
from tongbao.cli.exits import Exit
from tongbao.engines.solo import EngineStopped
from tongbao.kernel import Amount, Genesis, GenesisError, Hash
from tongbao.kernel.genesis import write_genesis
from tongbao.kernel.kernel_module import ModuleLine
from tongbao.modules import account, asset
from tongbao.sdk.folder import Folder, FolderError, trust_bytes
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.keystore_errors import KeyNotFound, KeystoreError, WeakPassphrase, WrongPassphrase
from tongbao.sdk.opening import AUTHORITY, OPERATOR, create_chain, open_chain, operator_wallet
from tongbao.store.errors import WrongChain


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Made once, and only copied."""
    return keep(tmp_path_factory.mktemp("original") / "chain")


def refused(folder: Path, kind: type[Exception], *, passphrase: str | None = PASSPHRASE) -> str:
    """What is said when a folder is not opened; nothing that it keeps has changed."""
    before = files_of(folder)
    with pytest.raises(kind) as caught:
        open_chain(folder, passphrase=passphrase)
    assert files_of(folder) == before
    return str(caught.value)


# To write


def test_a_chain_opened_again_is_the_chain_that_was_closed(kept: Kept) -> None:
    """
    Given a chain with payments that was closed,
    when it is opened three times, and paid on the last time,
    then height, time, root and balances are those of its closing, and it goes on from there.
    """
    for _ in range(3):
        with reopen(kept.folder) as chain:
            assert rows_of(kept, chain) == whole(kept)
            assert chain.audit() == []
    with reopen(kept.folder) as chain:
        operator = operator_wallet(chain, kept.folder, PASSPHRASE)
        applied = operator.send(pay(kept.shop, "4.00"))
        assert applied.height == kept.head.height + 1
        after = rows_of(kept, chain)
    with reopen(kept.folder) as chain:
        assert rows_of(kept, chain) == after
        held = asset.Holding(amount=Amount("10.00"))
        assert after[2] == held


def test_a_chain_that_was_just_begun_has_one_block_and_one_account(tmp_path: Path) -> None:
    """
    Given a new folder,
    when a chain is begun with a name and a parameter, and opened again,
    then it has block 0, the operator's account, the name and the parameter, both times.
    """
    folder = with_cheap_keys(tmp_path / "deep" / "chain")
    chain, operator = create_chain(
        folder,
        passphrase=PASSPHRASE,
        name="fresh",
        parameters={"kernel.due_items": 7},
        options=ALONE,
    )
    with chain:
        head = chain.head()
        assert (head.height, operator.address) == (0, OWNER)
        assert chain.id.startswith("fresh-")
        opened = chain.query(account.show, OWNER)
        assert opened is not None
        public = Keystore(folder / "keys").unlock(OPERATOR, PASSPHRASE).key_id
        assert [entry.key.public for entry in opened.keys] == [public]
    with reopen(folder) as again:
        assert again.head() == head
        assert [(line.name, line.value) for line in again.genesis.parameters] == [
            ("kernel.due_items", 7)
        ]


def test_a_folder_of_a_chain_is_not_begun_a_second_time(kept: Kept) -> None:
    """
    Given the folder of a chain,
    when a chain is begun in it,
    then that is refused, and nothing in it has changed.
    """
    before = files_of(kept.folder)
    with pytest.raises(FolderError, match="already holds a chain: open it"):
        create_chain(kept.folder, passphrase=PASSPHRASE)
    assert files_of(kept.folder) == before


def test_a_folder_without_a_chain_says_how_to_begin_one(tmp_path: Path) -> None:
    """
    Given a folder that is empty, and one that is not there,
    when a chain is opened in them,
    then the error names the command that begins one, and nothing was made.
    """
    for folder in (tmp_path, tmp_path / "absent"):
        assert f"tongbao init --folder {folder}" in refused(folder, FolderError)
    assert list(tmp_path.iterdir()) == []


def test_a_weak_passphrase_begins_nothing(tmp_path: Path) -> None:
    """
    Given a passphrase that no key may have,
    when a chain is begun with it, and then with a good one,
    then the first is refused without so much as a folder, and the second begins the chain.
    """
    folder = tmp_path / "chain"
    with pytest.raises(WeakPassphrase):
        create_chain(folder, passphrase="short")
    assert not folder.exists()
    chain, _ = begin(folder)
    with chain:
        assert chain.head().height == 0


# Keys


def test_the_wrong_passphrase_opens_nothing_and_the_right_one_still_does(kept: Kept) -> None:
    """
    Given a chain,
    when it is opened with a wrong passphrase, and then with the right one,
    then the first changes nothing and keeps no lock, and the second opens it.
    """
    refused(kept.folder, WrongPassphrase, passphrase="battery horse correct")
    assert WrongPassphrase.exit_code == Exit.NO_KEY
    with reopen(kept.folder) as chain:
        assert rows_of(kept, chain) == whole(kept)


def test_a_key_that_genesis_does_not_name_signs_no_block(kept: Kept) -> None:
    """
    Given a chain whose authority's key file is gone, and then is another key's,
    when it is opened to write,
    then it is refused both times; to read it still opens.
    """
    keys = Keystore(kept.folder / "keys", CHEAP)
    keys.remove(AUTHORITY)
    refused(kept.folder, KeyNotFound)
    keys.create(AUTHORITY, PASSPHRASE)
    assert "not the authority that genesis names" in refused(kept.folder, FolderError)
    with open_chain(kept.folder) as chain:
        assert rows_of(kept, chain) == whole(kept)


def test_the_operator_needs_its_own_passphrase(kept: Kept) -> None:
    """
    Given an open chain whose operator's key has another passphrase than the authority's,
    when the operator's wallet is asked for with both,
    then only its own gives the wallet.
    """
    keys = Keystore(kept.folder / "keys", CHEAP)
    keys.change_passphrase(OPERATOR, PASSPHRASE, "another passphrase")
    with reopen(kept.folder) as chain:
        with pytest.raises(KeystoreError):
            operator_wallet(chain, kept.folder, PASSPHRASE)
        operator = operator_wallet(chain, kept.folder, "another passphrase")
        assert operator.send(pay(kept.shop, "1.00")).receipt.outcome == "applied"


# To read


def test_a_chain_open_to_read_tells_everything_and_takes_nothing(kept: Kept) -> None:
    """
    Given a chain that was opened without a passphrase,
    when it is asked, and a transaction is sent to it,
    then it answers and proves as ever, takes nothing, says why, and no block was made.
    """
    log = files_of(kept.folder / "log")
    with open_chain(kept.folder) as chain:
        assert rows_of(kept, chain) == whole(kept)
        assert chain.prove_row("asset.supplies", CNY).header
        operator = operator_wallet(chain, kept.folder, PASSPHRASE)
        with pytest.raises(EngineStopped, match="open for reading") as caught:
            operator.send(pay(kept.shop, "1.00"))
        assert caught.value.exit_code == Exit.STOPPED
        assert str(caught.value) == chain.why_stopped
        assert chain.head() == kept.head
    assert files_of(kept.folder / "log") == log


def test_a_chain_that_has_no_block_yet_needs_its_authority_first(tmp_path: Path) -> None:
    """
    Given a folder whose start was cut short before block 0,
    when it is opened to read, then to write, then to read,
    then the first is told to take the authority's key, and the others work, in one process.
    """
    chain, _ = begin(tmp_path / "chain")
    with chain:
        head = chain.head()
    for name in ("log", "state"):
        shutil.rmtree(tmp_path / "chain" / name)
    (tmp_path / "chain" / "headers").unlink()
    with pytest.raises(
        FolderError, match="no block of its own yet: open it with the authority's key"
    ):
        open_chain(tmp_path / "chain")
    with reopen(tmp_path / "chain") as again:
        assert again.head() == head
    with open_chain(tmp_path / "chain") as reading:
        assert reading.head() == head


# What genesis names


def with_line(genesis: Genesis, at: int, line: ModuleLine) -> Genesis:
    """A genesis with one module's line exchanged."""
    lines = list(genesis.modules)
    lines[at] = line
    return replace(genesis, modules=tuple(lines))


@pytest.mark.parametrize("at", range(3))
def test_code_of_another_hash_is_not_run(kept: Kept, at: int) -> None:
    """
    Given a genesis file that names one module with another hash, or a name nobody installed,
    when the chain is opened to read or to write, or a new one would begin,
    then it is refused, the module is named and what to do is said, and nothing has changed.
    """
    place = Folder(kept.folder)
    genesis = place.genesis()
    line = genesis.modules[at]
    for wrong in (
        replace(line, hash=Hash("ab" * 32)),
        replace(line, name=type(line.name)("absent")),
    ):
        place.genesis_file.write_bytes(write_genesis(with_line(genesis, at, wrong)))
        for passphrase in (None, PASSPHRASE):
            said = refused(kept.folder, GenesisError, passphrase=passphrase)
            assert said == (
                f"module {wrong.name} {wrong.number} is not the one that genesis names "
                f"(version {line.version}, hash {wrong.hash[:16]}...): install that version of "
                "tongbao, or begin a new chain"
            )
    place.genesis_file.write_bytes(write_genesis(genesis))
    with reopen(kept.folder) as chain:
        assert chain.head() == kept.head


def test_a_module_that_genesis_leaves_out_does_not_decide(tmp_path: Path) -> None:
    """
    Given genesis files that leave out one module, as those of an earlier release do, or the kernel,
    when a chain would begin with them,
    then the first has all other modules and knows no message of that one, the second is refused.
    """
    folder = with_cheap_keys(tmp_path / "chain")
    chain, _ = create_chain(folder, passphrase=PASSPHRASE, options=ALONE)
    with chain:
        genesis = chain.genesis
    for name, lines in (("older", genesis.modules[:-1]), ("headless", genesis.modules[1:])):
        other = with_cheap_keys(tmp_path / name)
        authority = Keystore(other / "keys").unlock(AUTHORITY, PASSPHRASE).key_id
        engine = replace(genesis.engine, keys=(type(genesis.engine.keys[0])(authority),))
        Folder(other).lay_out(replace(genesis, engine=engine, modules=lines))
    with reopen(tmp_path / "older") as older:
        assert [module.name for module in older.registry.modules] == [
            line.name for line in genesis.modules[:-1]
        ]
    with pytest.raises(GenesisError, match="does not name every module"):
        reopen(tmp_path / "headless")


def test_a_genesis_file_of_another_chain_opens_nothing(kept: Kept, tmp_path: Path) -> None:
    """
    Given a chain whose genesis file was exchanged for one of another time,
    when it is opened to read or to write,
    then the log is of another chain, and nothing has changed.
    """
    place = Folder(kept.folder)
    genesis = place.genesis()
    later = replace(genesis, time=type(genesis.time)(genesis.time + 1))
    place.genesis_file.write_bytes(write_genesis(later))
    for passphrase in (None, PASSPHRASE):
        said = refused(kept.folder, WrongChain, passphrase=passphrase)
        assert f"is of chain {kept.head.chain}" in said
        assert "genesis file" in said
    assert WrongChain.exit_code == Exit.WRONG


def test_an_error_while_opening_gives_the_folder_free(
    kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Given a chain that was refused for its genesis file,
    when the file is put back and the chain is opened in the same process,
    then it opens at once, without a warning.
    """
    caplog.set_level(logging.WARNING, "tongbao")
    place = Folder(kept.folder)
    right = place.genesis_file.read_bytes()
    genesis = place.genesis()
    later = replace(genesis, time=type(genesis.time)(genesis.time + 1))
    place.genesis_file.write_bytes(write_genesis(later))
    refused(kept.folder, WrongChain)
    place.genesis_file.write_bytes(right)
    with reopen(kept.folder) as chain:
        assert rows_of(kept, chain) == whole(kept)
    assert caplog.messages == []


def test_the_trust_file_is_the_one_that_the_chain_gives_out(tmp_path: Path) -> None:
    """
    Given a new chain,
    when its trust file is compared with what the open chain says and its genesis file gives,
    then all three are one, and it names the authority's key.
    """
    chain, operator = begin(tmp_path / "chain")
    with chain:
        fund(operator)
        trust = chain.trust()
        assert trust_bytes(chain.genesis) == trust_bytes(Folder(tmp_path / "chain").genesis())
    authority = Keystore(tmp_path / "chain" / "keys").unlock(AUTHORITY, PASSPHRASE).key_id
    assert (trust.chain, list(trust.keys)) == (chain.id, [authority])
    assert key("shop").key_id not in trust.keys
