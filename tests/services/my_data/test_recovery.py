"""A folder that was lost is made again; passphrases, codes and stores that lie are found out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sdk.kept_chain import CHEAP
from tests.services.my_data.people import PASSPHRASE, People
from tongbao.rights.chunks import DoesNotOpen
from tongbao.sdk.keystore_errors import WrongPassphrase
from tongbao.services.my_data.beginning import open_person, recover, recovery_file
from tongbao.services.my_data.collecting import collect
from tongbao.services.my_data.erasing import erase
from tongbao.services.my_data.home import Home, HomeError
from tongbao.services.my_data.keys import PersonKeys
from tongbao.services.my_data.person import Person
from tongbao.services.my_data.recovery import BadRecovery, new_code, read_recovery


def test_a_lost_folder_comes_back_with_rows_consents_and_receipts(
    people: People, alice: Person
) -> None:
    """
    Given a folder with two months, a consent and an erasure, and a recovery file of it,
    when the folder is lost and made again under another passphrase,
    then account, rows, consent and receipt are there, and what comes next is collected.
    """
    file, code = recovery_file(alice.home)
    given = people.consented(alice)
    for month in ("2026-01", "2026-02", "2026-03"):
        people.told(given, month)
    collect(alice)
    erase(alice, alice.notebook.batches[0].batch)
    before, owner = alice.notebook, alice.account
    people.lost(alice)
    people.told(given, "2026-04")
    again = people.opened(
        recover(people.folder(), "another passphrase of alice's", file, code.lower(), cost=CHEAP)
    )
    assert again.notebook == before and again.account == owner
    assert len(collect(again).taken) == 1
    for kept in again.notebook.batches:
        assert again.shelf.fetch(kept.commitment).header.period == kept.period


def test_the_store_keeps_one_state_of_the_notebook(people: People, alice: Person) -> None:
    """Given several changes, when the store's names are counted, then one is no batch's."""
    given = people.consented(alice)
    for month in ("2026-01", "2026-02"):
        people.told(given, month)
        collect(alice)
    batches = {one.commitment for one in alice.notebook.batches}
    assert len(alice.shelf.names() - batches) == 1


def test_a_code_of_another_file_opens_nothing(alice: Person) -> None:
    """Given a recovery file, when opened by another code, or cut, then it says so."""
    file, code = recovery_file(alice.home)
    for wrong in (new_code(), code[:-1], "", code.replace(code[0], "U")):
        with pytest.raises(BadRecovery):
            read_recovery(file, wrong)
    with pytest.raises(BadRecovery):
        read_recovery(file[:-9], code)
    facts = read_recovery(file, f" {code.lower()} ")
    assert facts.root == alice.keys.root.hex() and facts.account == alice.account
    assert alice.keys.root.hex().encode() not in file


def test_nothing_opens_with_a_wrong_passphrase(people: People, alice: Person) -> None:
    """Given a folder, when opened with another passphrase, then it is refused, and stays whole."""
    folder = alice.home.folder
    people.lost(alice)
    with pytest.raises(WrongPassphrase):
        open_person(folder, "not what alice said")
    assert people.opened(open_person(folder, PASSPHRASE)).account == alice.notebook.account


def test_one_program_has_a_folder_open(alice: Person) -> None:
    """Given a folder that is open, when it is opened again, then it is said to be in use."""
    with pytest.raises(HomeError, match="in use"):
        Home.open(alice.home.folder, PASSPHRASE)


def test_keys_are_others_for_each_use_and_none_stands_in_the_folder(alice: Person) -> None:
    """Given a person's keys, when they are compared and looked for, then no file has one."""
    keys = alice.keys
    secrets = {
        keys.root,
        keys.signer.seed,
        keys.space.seed,
        keys.owner_key,
        keys.exchange_secret,
        keys.drop_token("ab", "eggs.1", 1),
        keys.drop_token("ab", "eggs.1", 2),
        keys.drop_token("ab", "eggs.2", 1),
    }
    assert len(secrets) == 8
    assert PersonKeys(keys.root).owner_key == keys.owner_key
    files = [one for one in alice.home.folder.rglob("*") if one.is_file()]
    assert len(files) > 2
    for file in files:
        assert file.stat().st_mode & 0o77 == 0
        text = file.read_bytes()
        assert not any(secret in text or secret.hex().encode() in text for secret in secrets)


def test_a_store_that_gives_older_or_other_ciphertext_is_found_out(
    people: People, alice: Person, tmp_path: Path
) -> None:
    """
    Given the blobs of two months of one person, swapped at the store,
    when a month is fetched,
    then it does not open: nothing that was sealed for another month is taken for this one.
    """
    given = people.consented(alice)
    for month in ("2026-01", "2026-02"):
        people.told(given, month)
    collect(alice)
    first, second = (one.commitment for one in alice.notebook.batches)
    blobs = {path.name: path for path in (people.place / "store").rglob("*") if path.is_file()}
    old = blobs[first].read_bytes()
    blobs[first].write_bytes(blobs[second].read_bytes())
    with pytest.raises(DoesNotOpen):
        alice.shelf.fetch(first)
    blobs[first].write_bytes(old)
    assert alice.shelf.fetch(first).header.period == "2026-01"
