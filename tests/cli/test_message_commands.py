"""Messages as commands: sent, tried, written down, and refused with numbers."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.cli.calling import Place

PAY = ("asset", "transfer", "--asset", "CNY", "--payee", "bob", "--as", "alice")


def test_a_payment_is_applied_and_moves_the_amount(place: Place) -> None:
    """
    Given alice with CNY,
    when she pays bob,
    then the verdict names the block and the one event says what moved.
    """
    names = place.do("account", "names")["accounts"]
    paid = place.do(*PAY, "--amount", "2.50", "--reference", "invoice-7")

    assert paid["events"] == [
        {
            "@type": "asset.moved",
            "asset": f"CNY.{names['operator']}",
            "amount": "2.50",
            "payer": names["alice"],
            "payee": names["bob"],
        }
    ]
    told = place.call(*PAY, "--amount", "0.50")
    assert told.last.startswith(f"applied in block {paid['height'] + 1}: ")


def test_a_refusal_has_its_number_and_advice(place: Place) -> None:
    """
    Given alice with less than she wants to pay,
    when she pays,
    then the last line says the rule and its number, and the code is 1.
    """
    told = place.call(*PAY, "--amount", "1000000.00")

    assert (told.code, told.out) == (1, "")
    assert told.err == (
        "do: only the nonce was used; correct the message and send it again\n"
        "refused: asset.BALANCE_IS_TOO_LOW (2013): the payer owns at least the amount\n"
    )


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--amount=-1.00",), '--amount: an amount is a decimal string such as "12.50"'),
        (("--amount", "1e3"), '--amount: an amount is a decimal string such as "12.50"'),
        (("--amount", "01.00"), '--amount: an amount is a decimal string such as "12.50"'),
        (("--amount", ""), '--amount: an amount is a decimal string such as "12.50"'),
        (("--amount", "92233720368547758.08"), "--amount: an amount has at most 2^63 - 1 units"),
        (("--amount", "1.00", "--payee", "carl"), "--payee: no account is remembered as 'carl'"),
        (("--amount", "1.00", "--asset", "CNY.carl"), "--asset: no account is remembered as"),
        (("--amount", "1.00", "--as", "carl"), "no account is remembered as 'carl'"),
        (("--amount", "1.00", "--asset", "EUR"), "--asset: no remembered account has defined EUR"),
        (("--amount", "1.00", "--reference", "two words"), "--reference: Expected `str` matching"),
        (("--amount", "1.00", "--remittance-hash", "5e"), "--remittance-hash: Expected `str`"),
        (("--amount", "1.00", "--tx-reference", "two words"), "--tx-reference: Expected `str`"),
        (("--amount", "1.00", "--tx-expires", "soon"), "'soon' is no time"),
        (("--amount", "1.00", "--lane", "16"), "Invalid value for '--lane'"),
        (("--amount", "1.00", "--unsigned"), "--unsigned writes a file"),
    ],
)
def test_a_bad_value_names_its_option(words: tuple[str, ...], error: str, place: Place) -> None:
    """
    Given a value that is wrong,
    when a payment with it is sent,
    then the error names the option, the advice says how to write it, and nothing was sent.
    """
    before = place.do("status")
    told = place.call(*PAY, *words)

    assert (told.code, told.out) == (2, "")
    advice, verdict = told.err.splitlines()
    assert advice.startswith("do: ")
    assert verdict.startswith(f"error: {error}")
    assert place.do("status") == before


@pytest.mark.parametrize(
    ("words", "code", "number"),
    [
        (("--tx-expires", "0"), 3, 10),
        (("--tx-expires", "+2d"), 3, 11),
        (("--lane", "9"), 3, 14),
        (("--sponsor", "2f" * 20), 3, 13),
        (("--sponsor", "operator", "--key", "alice"), 3, 20),
        (("--key", "alice", "--key", "bob"), 3, 21),
        (("--key", "bob"), 3, 18),
    ],
)
def test_what_is_invalid_has_its_number(
    words: tuple[str, ...], code: int, number: int, place: Place
) -> None:
    """
    Given options that make a transaction invalid,
    when it is sent,
    then code and number say why, and the chain is as before.
    """
    before = place.do("status")
    told = place.call(*PAY, "--amount", "1.00", *words, "--json")

    assert (told.code, told.json["number"]) == (code, number)
    assert told.json["outcome"] == "invalid"
    assert place.do("status") == before


def test_a_sponsor_signs_with_the_key_of_its_name(place: Place) -> None:
    """
    Given a sponsor whose key is in the keystore,
    when alice pays with it,
    then both have signed.
    """
    paid = place.do(*PAY, "--amount", "1.00", "--sponsor", "operator", "--tx-reference", "r-1")
    shown = place.do("tx", "show", paid["id"])

    publics = {place.do("keys", "show", name)["public"] for name in ("alice", "operator")}
    assert set(shown["signers"]) == publics
    assert msgspec.json.decode(shown["signed"])["reference"] == "r-1"


def test_a_dry_run_needs_no_passphrase_and_changes_nothing(place: Place) -> None:
    """
    Given no passphrase,
    when payments within and beyond alice's holding are tried,
    then one would be applied, the other refused, and the chain is as before.
    """
    before = place.do("status")
    poor = Place(place.folder, None)
    good, bad = (poor.call(*PAY, "--amount", each, "--dry-run") for each in ("1.00", "9999.00"))

    assert (good.code, good.last) == (0, "dry run: would be applied; nothing was sent")
    assert bad.code == 1
    assert bad.last.startswith("dry run: would be refused: asset.BALANCE_IS_TOO_LOW (2013)")
    assert place.do("status") == before


def test_a_key_that_a_message_introduces_signs_by_itself(place: Place) -> None:
    """
    Given a second key in the keystore,
    when bob adds it, and later rotates and removes keys by their names,
    then each is applied although only bob was named.
    """
    names = ("bob-phone", "bob-tablet")
    publics = [place.do("keys", "create", name)["public"] for name in names]
    added = '{"key":"bob-phone","weight":1}'
    place.do("account", "add-key", "--as", "bob", "--added", added)
    words = ("account", "rotate-key", "--as", "bob", "--old", "bob-phone", "--new", "bob-tablet")
    place.do(*words)
    keys = place.do("account", "show", "--address", "bob")["value"]["keys"]
    place.do("account", "remove-key", "--as", "bob", "--removed", "bob-tablet")

    assert publics[1] in [each["key"]["public"] for each in keys]
    assert publics[0] not in [each["key"]["public"] for each in keys]


def test_an_unsigned_payload_is_written_without_any_key(place: Place, tmp_path: Path) -> None:
    """
    Given no passphrase,
    when a payment is written unsigned,
    then the file holds the payload that a dry run accepts.
    """
    file = tmp_path / "payload.json"
    poor = Place(place.folder, None)
    told = poor.do(*PAY, "--amount", "1.00", "--unsigned", "--out", str(file))
    tried = poor.do("tx", "dry-run", str(file))

    assert file.read_text() == told["payload"] + "\n"
    assert tried["outcome"] == "applied"
