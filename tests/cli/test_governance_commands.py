"""Governance as operators type it: first operators, a proposal with names in it, votes, lists."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.calling import Place
from tests.cli.conftest import begun
from tongbao.cli.members import example, members_of
from tongbao.cli.values import form_of, sample
from tongbao.modules.governance import Choice
from tongbao.modules.governance.messages import Actions

FOUND = ("governance", "found", "--authority", "authority", "--threshold", "2", "--delay-ms", "0")


def test_operators_decide_from_the_command_line(place: Place) -> None:
    """
    Given a chain whose authority names operator and alice, of whom both must agree,
    when operator proposes that bob governs too and that a key of the keystore votes, by their
    short names, and alice approves,
    then lists show the proposal and its votes, and after the next block it is carried out.
    """
    names = place.do("account", "names")["accounts"]
    place.do(*FOUND, "--operators", '["operator","alice"]')
    actions = json.dumps(
        [
            {"@type": "governance.add_operator", "operator": "bob"},
            {"@type": "governance.set_validator", "key": "authority", "power": 10},
        ]
    )
    made = place.do("governance", "propose", "--actions", actions, "--closes-at", "+1h")
    [proposal] = made["made"]
    waiting = place.do("governance", "waiting")
    assert [row["key"] for row in waiting["rows"]] == [proposal]
    place.do("governance", "vote", "--proposal", proposal, "--choice", "approve", "--as", "alice")
    votes = place.do("governance", "votes", "--proposal", proposal)["rows"]
    assert sorted(row["key"][1] for row in votes) == sorted([names["operator"], names["alice"]])
    place.do("account", "set-lanes", "--lanes", "16", "--as", "bob")  # never fewer than before
    found = place.do("governance", "show", "--proposal", proposal)["value"]
    assert found["phase"] == "carried_out"
    assert names["bob"] in place.do("governance", "operators")["value"]["operators"]
    [validator] = place.do("governance", "validators")["rows"]
    assert validator["value"]["power"] == 10


def test_what_can_be_proposed_is_told_with_its_members() -> None:
    """
    Given a list whose parts are of several kinds, and a text of a few words,
    when both are explained,
    then each kind is told with its members, the first is the example, and the words are all.
    """
    told = form_of(Actions).help
    assert '[{"@type":"governance.set_validator","key":"alice","power":1}]' in told
    assert "governance.schedule_upgrade (height, modules, features)" in told
    assert form_of(Choice).help == "one of approve, reject"
    assert sample(Choice) == "approve"
    members = members_of({"choice": Choice}, {"choice": True}, ())
    assert example("governance vote", members).endswith("tongbao governance vote --choice approve")


def test_members_are_admitted_listed_and_shown(tmp_path: Path) -> None:
    """
    Given a chain whose operator decides alone,
    when operator admits an institution for which alice acts, who may issue, and halts holds,
    then it is listed and shown with its account and role, by short names, and the halt is listed.
    """
    place = begun(tmp_path / "chain")
    names = place.do("account", "names")["accounts"]
    place.do(*FOUND[:-3], "1", "--delay-ms", "0", "--operators", '["operator"]')
    lei = "506700GE1G29325QX363"
    actions = json.dumps(
        [
            {
                "@type": "governance.admit_member",
                "member": lei,
                "name": "Legal Entity Foundation",
                "accounts": ["alice"],
                "roles": ["issuer"],
            },
            {
                "@type": "governance.grant_permission",
                "permission": "asset.define",
                "role": "issuer",
            },
            {"@type": "governance.halt", "module": "hold", "duration_ms": 60_000},
        ]
    )
    place.do("governance", "propose", "--actions", actions, "--closes-at", "+1h")
    place.do("account", "set-lanes", "--lanes", "16", "--as", "bob")
    [listed] = place.do("member", "listed")["rows"]
    shown = place.do("member", "show", "--lei", lei)["value"]
    assert (listed["key"], listed["value"]) == (lei, shown)
    assert (shown["status"], shown["roles"]) == ("active", ["issuer"])
    [account] = place.do("member", "accounts", "--lei", lei)["rows"]
    assert account["key"] == names["alice"]
    assert place.do("member", "acting", "--account", "alice")["value"]["member"] == lei
    [reserved] = place.do("member", "reserved")["rows"]
    assert reserved["key"] == "asset.define"
    [halted] = place.do("governance", "halts")["rows"]
    assert halted["key"] == "hold"
