"""Transactions as files and ids."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.calling import Place

PAY = ("asset", "transfer", "--asset", "CNY", "--payee", "bob", "--as", "alice", "--amount", "1.00")


@pytest.fixture(scope="module")
def treasury(place: Place) -> Place:
    """The chain with an account of three keys, of which two sign, that holds 10.00 CNY."""
    words = ("account", "create", "treasury", "--ordinary", "2")
    place.do(*words, *("--with", "ann", "--with", "ben", "--with", "cleo"))
    issue = ("asset", "issue", "--asset", "CNY", "--payee", "treasury", "--amount", "10.00")
    place.do(*issue, "--reference", "treasury-1")
    return place


def test_two_of_three_sign_one_after_the_other(treasury: Place, tmp_path: Path) -> None:
    """
    Given an account of three keys that asks for two,
    when ann writes a payment, ben adds his signature and somebody submits it,
    then it is applied, shows exactly what was signed and by whom, and is told again if sent again.
    """
    one, two = tmp_path / "one.jws", tmp_path / "two.jws"
    words = ("asset", "transfer", "--asset", "CNY", "--payee", "bob", "--amount", "2.00")
    written = treasury.do(*words, "--as", "treasury", "--key", "ann", "--out", str(one))
    early = treasury.call("tx", "submit", str(one), "--json")
    signed = treasury.call("tx", "sign", str(one), "--key", "ben", "--out", str(two))
    sent = treasury.do("tx", "submit", str(two))
    shown = treasury.do("tx", "show", written["id"])
    again = treasury.call("tx", "submit", str(two))

    assert (early.code, early.json["number"]) == (3, 18)
    assert signed.last == f"2 signatures in {two}; not sent: id {written['id']}"
    assert written["payload"] in signed.err
    assert sent["id"] == written["id"]
    assert shown["signed"] == written["payload"]
    publics = {treasury.do("keys", "show", name)["public"] for name in ("ann", "ben")}
    assert set(shown["signers"]) == publics
    assert again.code == 0
    assert again.last == f"it happened before: applied in block {sent['height']} at place 0"


def test_a_signature_by_another_library_is_kept(treasury: Place, tmp_path: Path) -> None:
    """
    Given a transaction in the general serialization with members in an order of its own,
    when a second key signs it,
    then the first signature stays as it is and the transaction is applied.
    """
    one, two = tmp_path / "one.jws", tmp_path / "two.jws"
    words = ("asset", "transfer", "--asset", "CNY", "--payee", "bob", "--amount", "1.00")
    treasury.do(*words, "--as", "treasury", "--key", "ann", "--out", str(one))
    protected, payload, signature = one.read_text().strip().split(".")
    general = {
        "signatures": [{"signature": signature, "protected": protected}],
        "payload": payload,
    }
    one.write_text(json.dumps(general, indent=2))
    treasury.do("tx", "sign", str(one), "--key", "cleo", "--out", str(two))

    assert protected in two.read_text()
    assert treasury.do("tx", "submit", str(two))["outcome"] == "applied"


def test_a_payload_is_signed_submitted_and_tried(place: Place, tmp_path: Path) -> None:
    """
    Given an unsigned payload,
    when it is tried, signed to standard output, and submitted from standard input,
    then the dry run and the ledger agree.
    """
    file = tmp_path / "payload.json"
    place.do(*PAY, "--unsigned", "--out", str(file))
    tried = place.do("tx", "dry-run", str(file))
    signed = place.call("tx", "sign", str(file), "--key", "alice")
    sent = place.call("tx", "submit", "-", "--json", stdin=signed.out).json

    assert signed.last.count(".") == 2
    assert (tried["outcome"], tried["events"]) == (sent["outcome"], sent["events"])


@pytest.mark.parametrize(
    ("text", "code", "number"),
    [
        ("", 66, None),
        ("garbage", 3, 2),
        ('{"chain":"demo-00000000"}', 3, 7),
        ('{"payload":"x","payload":"y"}', 3, 2),
        ("{" * 5000, 3, 7),
        ("a.b.c", 3, 4),
    ],
)
def test_a_file_that_is_no_transaction_is_told_by_number(
    text: str, code: int, number: int | None, place: Place, tmp_path: Path
) -> None:
    """
    Given a file that holds no payload and no transaction,
    when it is tried and signed,
    then both say why with the kernel's number, and nothing is written.
    """
    file = tmp_path / "file"
    file.write_text(text)
    words = (("dry-run", str(file)), ("sign", str(file), "--key", "alice"))
    told = [place.call("tx", *each, "--json") for each in words]

    assert [each.code for each in told] == [code, code]
    assert [each.json.get("number") for each in told] == [number, number]


def test_a_payload_in_another_spelling_is_not_signed(place: Place, tmp_path: Path) -> None:
    """
    Given a payload whose JSON is spaced out,
    when it is signed,
    then it is refused: what is signed is what is kept.
    """
    file = tmp_path / "payload.json"
    place.do(*PAY, "--unsigned", "--out", str(file))
    file.write_text(json.dumps(json.loads(file.read_text()), indent=1))
    told = place.call("tx", "sign", str(file), "--key", "alice", "--json")

    assert (told.code, told.json["number"]) == (3, 8)


def test_an_id_that_no_block_holds_shows_nothing(place: Place) -> None:
    """
    Given an id of no transaction,
    when it is shown,
    then the code is 4.
    """
    told = place.call("tx", "show", "5e" * 32)

    assert (told.code, told.out) == (4, "")


@pytest.mark.parametrize("first", ["A", "{", "A.A.A"])
def test_a_file_that_is_too_large_for_a_transaction_is_told(
    first: str, place: Place, tmp_path: Path
) -> None:
    """
    Given a file of three million bytes, compact form, JSON or noise,
    when it is submitted,
    then it is invalid for its size, and the chain is as before.
    """
    (tmp_path / "large").write_text(first.ljust(3_000_000, "A"))
    before = place.do("status")
    told = place.call("tx", "submit", str(tmp_path / "large"))

    assert (told.code, told.out) == (3, "")
    assert "TRANSACTION_IS_TOO_LARGE (1)" in told.err.splitlines()[-1]
    assert place.do("status") == before
