"""Control over holdings by commands: set up, frozen, refused, and seen by the person it hit."""

from __future__ import annotations

from tests.cli.calling import Place


def test_an_issuer_freezes_and_the_holder_sees_why(place: Place) -> None:
    """
    Given bonds of a house whose flags were switched on,
    when it freezes alice's holding for an hour as a court has ordered,
    then she is refused with the number, and sees the freeze, the act and its ground by commands;
    the house is counted, and its statement adds up.
    """
    place.do("account", "create", "house")
    names = place.do("account", "names")["accounts"]
    bond = ("--asset", "BOND.house")
    place.do("asset", "define", "--code", "BOND", "--scale", "0", "--as", "house")
    place.do("asset", "set-flags", *bond, "--switch-on", '["freezing"]', "--as", "house")
    issue = ("asset", "issue", *bond, "--amount", "100", "--payee", "alice", "--reference", "b1")
    place.do(*issue, "--as", "house")
    hit = ("--account", "alice", "--scope", "debits", "--reason", "1", "--until", "+1h")
    place.do("asset", "freeze", *bond, *hit, "--as", "house")

    pay = ("asset", "transfer", *bond, "--amount", "1", "--payee", "bob", "--as", "alice")
    refused = place.call(*pay)
    assert "asset.PAYER_IS_FROZEN (2029)" in refused.err
    [stands] = place.do("asset", "controls-on", "--account", "alice")["rows"]
    assert stands["key"] == [names["alice"], f"BOND.{names['house']}"]
    frozen = stands["value"]["frozen_by_issuer"]
    assert (frozen["by"], frozen["reason"], frozen["scope"]) == (names["house"], 1, "debits")
    [act] = place.do("asset", "acts-on", "--account", "alice")["rows"]
    assert (act["value"]["kind"], act["value"]["until"]) == ("frozen", frozen["until"])
    [tally] = place.do("asset", "acts-by", "--actor", "house")["rows"]
    assert tally["value"] == {"@version": 1, "frozen": 1}
    told = place.do("asset", "statement", *bond)["value"]
    assert told == {"issued": "100", "held": "100", "on_hold": "0", "reserved": "0"}
