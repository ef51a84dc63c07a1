"""Quotas as operators and institutions type them: the commands of docs/operate/quotas.md."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.calling import Place
from tests.cli.conftest import begun
from tongbao.kernel.kernel_module import COMMON

FOUND = ("governance", "found", "--authority", "authority", "--threshold", "1", "--delay-ms", "0")
SHARE = '{"capacity":2,"per_minute":1}'


def decide(place: Place, *actions: dict[str, object]) -> None:
    """Operator decides alone, and the next block carries it out."""
    told = json.dumps(actions)
    place.do("governance", "propose", "--actions", told, "--closes-at", "+1h")
    place.do("account", "set-lanes", "--lanes", "16", "--as", "bob")


def test_quotas_are_begun_granted_and_revoked_from_the_command_line(tmp_path: Path) -> None:
    """
    Given a chain whose operator decides alone,
    when it gives itself an allowance, begins quotas, and stands for alice with a share of two,
    then lists tell who pays and what is left, and after a revocation she pays in common.
    """
    place = begun(tmp_path / "chain")
    names = place.do("account", "names")["accounts"]
    place.do(*FOUND, "--operators", '["operator"]')
    allowance = {"capacity": 1_000, "per_minute": 60, "accounts": 5}
    decide(
        place,
        {"@type": "governance.set_allowance", "sponsor": "operator", **allowance},
        {"@type": "governance.set_parameter", "name": "kernel.quotas", "value": 1},
    )
    [listed] = place.do("sponsor", "sponsors")["rows"]
    assert (listed["key"], listed["value"]["accounts"]) == (names["operator"], 5)
    place.do("sponsor", "grant", "--account", "alice", "--share", SHARE)
    [stood_for] = place.do("sponsor", "stood-for", "--sponsor", "operator")["rows"]
    assert stood_for["key"] == names["alice"]
    paying = place.do("sponsor", "paying", "--account", "alice")["value"]
    assert (paying["payer"], paying["tokens"]) == (names["operator"], 2)
    assert place.do("sponsor", "show", "--sponsor", "operator")["value"]["accounts"] == 1
    place.do("sponsor", "revoke", "--account", "alice")
    assert place.do("sponsor", "paying", "--account", "alice")["value"]["payer"] == COMMON
