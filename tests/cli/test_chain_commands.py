"""Beginning a chain, and asking where it is."""

from __future__ import annotations

import pytest

from tests.cli.calling import PASSPHRASE, Place

NOBODY = "5e" * 32


def test_a_chain_begins_once(place: Place) -> None:
    """
    Given a folder with a chain,
    when another chain is to begin there,
    then it is refused and the chain is as before.
    """
    before = place.do("status")
    told = place.call("init")

    assert told.code == 66
    advice, verdict = told.err.splitlines()
    assert advice.startswith("do: use it")
    assert verdict == f"error: {place.folder} already holds a chain"
    assert place.do("status") == before


@pytest.mark.parametrize("name", ["", "Demo", "1demo", "de-mo", "d" * 25, "démo"])
def test_a_bad_name_begins_no_chain(name: str, nowhere: Place) -> None:
    """
    Given text that can't name a chain,
    when a chain of this name is to begin,
    then it is refused before a folder is made.
    """
    told = Place(nowhere.folder, PASSPHRASE).call("init", "--name", name)

    assert told.code == 2
    assert "can't name a chain" in told.err
    assert not nowhere.folder.exists()


def test_a_weak_passphrase_leaves_no_folder(nowhere: Place) -> None:
    """
    Given a passphrase that is too short,
    when a chain is to begin under it,
    then it is refused with advice, and there is no folder.
    """
    told = Place(nowhere.folder, "short").call("init")

    assert (told.code, told.out) == (77, "")
    assert told.err.splitlines()[0] == "do: choose a longer one, best several words"
    assert not nowhere.folder.exists()


def test_a_damaged_genesis_file_is_to_be_restored(nowhere: Place) -> None:
    """
    Given a chain whose genesis file was cut short,
    when its status is asked for,
    then the advice is to bring the file back, and the last line says which it is.
    """
    here = Place(nowhere.folder, PASSPHRASE)
    here.do("init")
    file = here.folder / "genesis.json"
    file.write_bytes(file.read_bytes()[:-1])
    told = here.call("status")

    advice, verdict = told.err.splitlines()
    assert (told.code, told.out) == (66, "")
    assert advice.startswith(f"do: bring {file} back from a copy: ")
    assert verdict.startswith(f"error: {file}: ")


def test_a_new_chain_says_what_to_do_next(nowhere: Place) -> None:
    """
    Given a new folder,
    when a chain begins there,
    then facts and verdict are on standard output and the next steps on standard error.
    """
    here = Place(nowhere.folder, PASSPHRASE)
    told = here.call("init", "--folder", str(here.folder))
    chain = here.do("status")["chain"]

    assert told.code == 0
    assert told.last == f"chain {chain} begun in {here.folder}"
    assert told.err.startswith(f"next: tongbao account create alice --folder {here.folder}\n")
    assert here.do("account", "names")["accounts"].keys() == {"operator"}
    assert [key["name"] for key in here.do("keys", "list")["keys"]] == ["authority", "operator"]


def test_the_head_ends_in_its_height(place: Place) -> None:
    """
    Given a chain,
    when its head is asked for as text and as JSON,
    then both say the same height.
    """
    head = place.do("status")

    assert place.call("status").last == f"height {head['height']} of {head['chain']}"
    assert head.keys() == {"chain", "height", "time", "state_root", "rows"}


def test_each_fate_of_a_transaction_has_its_code(place: Place) -> None:
    """
    Given transactions that were applied, refused and never seen,
    when their status is asked for,
    then state, verdict and exit code agree.
    """
    lanes = ("account", "set-lanes", "--as", "bob", "--lanes")
    applied = place.do(*lanes, "2")["id"]
    refused = place.call(*lanes, "1", "--json").json["id"]
    words = (
        ("status", applied),
        ("status", refused),
        ("status", NOBODY),
        ("status", NOBODY, "--expires", "0"),
        ("status", NOBODY, "--expires", "+1d"),
    )
    told = [place.call(*each) for each in words]

    assert [each.code for each in told] == [0, 1, 4, 3, 4]
    assert [each.last.split()[0].rstrip(":") for each in told] == [
        *("applied", "refused", "unknown", "never", "unknown")
    ]
    assert "account.LANES_OUT_OF_RANGE (1008)" in told[1].last


@pytest.mark.parametrize("text", ["", "5e", "5E" * 32, "zz" * 32])
def test_what_is_no_id_is_said(text: str, place: Place) -> None:
    """
    Given text that is no transaction id,
    when its status is asked for,
    then the error says how an id looks.
    """
    told = place.call("status", text)

    assert told.code == 2
    advice, verdict = told.err.splitlines()
    assert advice.startswith("do: an id is 64 hex digits")
    assert verdict == f"error: {text!r} is no transaction id"
