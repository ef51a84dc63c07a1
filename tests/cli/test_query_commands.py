"""Queries as commands: answers with their height, pages, and nothing where nothing is."""

from __future__ import annotations

import msgspec

from tests.cli.calling import PASSPHRASE, Place
from tongbao.cli.book import FILE
from tongbao.kernel import AssetCode, Small
from tongbao.kernel.context import PAGE_ROWS
from tongbao.modules import asset
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.opening import open_chain


def test_an_answer_carries_its_height(place: Place) -> None:
    """
    Given an asset,
    when it is shown as JSON and as text,
    then both have the row, and the height that it is true at.
    """
    height = place.do("status")["height"]
    operator = place.do("account", "names")["accounts"]["operator"]
    shown = place.do("asset", "show", "--asset", "CNY")
    told = place.call("asset", "show", "--asset", "CNY.operator")

    assert shown == {"height": height, "value": {"@version": 1, "issuer": operator, "scale": 2}}
    assert told.out == f"issuer  {operator}\nscale   2\nfound at height {height}\n"


def test_nothing_found_has_its_own_code(place: Place) -> None:
    """
    Given an asset that nobody defined,
    when it is shown,
    then the answer is nothing and the code is 4.
    """
    told = place.call("asset", "show", "--asset", "CNY.alice")

    assert (told.code, told.err) == (4, "")
    assert told.last.startswith("nothing at height ")
    assert place.call("asset", "show", "--asset", "CNY.alice", "--json").json["value"] is None


def test_pages_go_on_where_the_last_one_ended(place: Place) -> None:
    """
    Given one asset more than a page holds,
    when pages are asked for until none follows,
    then each asset came once, in order.
    """
    place.do("account", "create", "mint")
    codes = [f"M{number}" for number in range(PAGE_ROWS + 1)]
    with open_chain(place.folder, passphrase=PASSPHRASE) as chain:
        key = Keystore(place.folder / "keys").unlock("mint", PASSPHRASE)
        address = place_of_name(place, "mint")
        defines = [asset.Define(code=AssetCode(code), scale=Small(0)) for code in codes]
        chain.wallet(address, key).send(*defines)
    words = ("asset", "issued-by", "--issuer", "mint")
    first = place.do(*words)
    second = place.do(*words, "--after", first["after"])
    told = place.call(*words)

    found = [row["key"] for page in (first, second) for row in page["rows"]]
    assert found == sorted(f"{code}.{address}" for code in codes)
    assert second["after"] is None
    assert told.err == f"there are more: --after {first['after']}\n"
    assert told.last == f"{PAGE_ROWS} rows at height {first['height']}"


def place_of_name(place: Place, name: str) -> str:
    """The address of a remembered name."""
    address: str = msgspec.json.decode((place.folder / FILE).read_bytes())[name]
    return address


def test_a_cursor_of_another_query_is_told(place: Place) -> None:
    """
    Given cursors that are none or of another query,
    when a page after each is asked for,
    then the error names the option.
    """
    words = ("asset", "held-by", "--account", "alice", "--after")
    told = [place.call(*words, cursor) for cursor in ("zz", "00", "5e" * 40)]

    assert [each.code for each in told] == [2, 2, 2]
    assert {each.err for each in told} == {
        "do: begin without --after\nerror: --after: this is no cursor of this query\n"
    }


def test_holds_are_found_by_payee_and_by_payer(place: Place) -> None:
    """
    Given a hold that alice placed for bob,
    when it is asked for by its id, its payee and its payer,
    then every answer has the same row, and once it is captured none has it.
    """
    place_words = ("hold", "place", "--payee", "bob", "--asset", "CNY", "--amount", "1.00")
    made = place.do(*place_words, "--expires-at", "+2d", "--as", "alice")["made"][0]
    shown = place.do("hold", "show", "--hold", made)["value"]
    asked = (("held-for", "--payee", "bob"), ("placed-by", "--payer", "alice"))
    pages = [place.do("hold", *each)["rows"] for each in asked]
    place.do("hold", "capture", "--hold", made, "--as", "bob")

    assert pages == [[{"key": made, "value": shown}]] * 2
    assert place.call("hold", "show", "--hold", made).code == 4
    assert [place.do("hold", *each)["rows"] for each in asked] == [[], []]
