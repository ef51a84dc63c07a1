"""Accounts by name: opened, remembered, and resolved as DID documents."""

from __future__ import annotations

import pytest

from tests.cli.calling import Place


def test_an_account_is_opened_with_a_key_of_its_name(place: Place) -> None:
    """
    Given a chain,
    when an account is created by another than the operator,
    then the key is in the keystore, the row names it, and the name is remembered.
    """
    made = place.do("account", "create", "carol", "--as", "alice", "--lanes", "3")
    row = place.do("account", "show", "--address", "carol")["value"]
    public = place.do("keys", "show", "carol")["public"]

    assert made["keys_made"] == ["carol"]
    assert place.do("account", "names")["accounts"]["carol"] == made["address"]
    key = {"key": {"algorithm": 1, "public": public}, "weight": 1}
    assert row == {"@version": 1, "keys": [key], "ordinary": 1, "sensitive": 1, "lanes": 3}


def test_a_start_that_was_cut_short_uses_its_key_again(place: Place) -> None:
    """
    Given a key that was made for an account that was not opened then,
    when the account is created again,
    then it has this key and none is made.
    """
    public = place.do("keys", "create", "dora")["public"]
    made = place.do("account", "create", "dora")
    row = place.do("account", "show", "--address", made["address"])["value"]

    assert made["keys_made"] == []
    assert row["keys"][0]["key"]["public"] == public


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("create", "alice"), 2),
        (("create", "Alice"), 2),
        (("create", "x" * 40), 2),
        (("create", "ed", "--with", "no such"), 2),
        (("create", "ed", "--as", "nobody"), 2),
        (("create", "ed", "--key", "nobody"), 77),
        (("create", "ed", "--ordinary", "0"), 2),
        (("remember", "ed", "2f" * 20), 4),
        (("remember", "ed", "nobody"), 2),
        (("did", "2f" * 20), 4),
    ],
)
def test_what_can_not_be_is_refused(words: tuple[str, ...], code: int, place: Place) -> None:
    """
    Given names that are taken, wrong or unknown,
    when accounts are created, remembered or resolved by them,
    then each is refused, and neither names nor keys nor the chain change.
    """
    asked = (("account", "names"), ("keys", "list"), ("status",))
    before = [place.do(*each) for each in asked]
    told = place.call("account", *words)

    assert (told.code, told.out) == (code, "")
    assert len(told.err.splitlines()) == 2
    assert [place.do(*each) for each in asked] == before


def test_a_threshold_out_of_reach_is_the_ledgers_to_refuse(place: Place) -> None:
    """
    Given one key,
    when an account is created that needs two,
    then the module refuses with its number, and the name is free.
    """
    told = place.call("account", "create", "frank", "--ordinary", "2", "--json")

    assert (told.code, told.json["number"]) == (1, 1005)
    assert "frank" not in place.do("account", "names")["accounts"]


def test_another_name_for_an_account_is_remembered(place: Place) -> None:
    """
    Given an account,
    when a second name for it is remembered,
    then both names stand for it and the ledger was not told.
    """
    height = place.do("status")["height"]
    bob = place.do("account", "names")["accounts"]["bob"]
    told = place.call("account", "remember", "robert", bob)

    assert told.last == f"robert is {bob}"
    assert place.do("account", "names")["accounts"]["robert"] == bob
    assert place.do("status")["height"] == height


def test_an_account_resolves_as_a_did_document(place: Place) -> None:
    """
    Given an account,
    when its DID document is printed,
    then it is of this chain and address, has its key, and ends in the DID.
    """
    chain = place.do("status")["chain"]
    alice = place.do("account", "names")["accounts"]["alice"]
    public = place.do("keys", "show", "alice")["public"]
    document = place.do("account", "did", "alice")

    assert document["id"] == f"did:tongbao:{chain}:{alice}"
    assert [each["publicKeyJwk"]["x"] for each in document["verificationMethod"]] == [public]
    assert place.call("account", "did", alice).last == document["id"]
