"""`tongbao account statement`, and `tongbao index` beside a node and without one."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.cli.desk import Desk

STATEMENT = ("account", "statement", "alice", "--asset", "CNY.operator")


def test_a_statement_is_shown_and_written_and_the_index_made_anew(
    desk: Desk, tmp_path: Path
) -> None:
    """
    Given a node that serves a folder's chain, on which alice has paid,
    when her statement is shown, written as CSV and asked for an asset that nobody has defined, and
    the index is looked at, made anew without the node, and looked at again,
    then balances are told, the file has the movements, and the index lacks nothing.
    """
    with desk.node():
        desk.do("asset", "transfer", "--asset", "CNY", "--amount", "12.50", "--payee", "bob",
                "--as", "alice")  # fmt: skip
        shown = desk.do(*STATEMENT)
        desk.do(*STATEMENT, "--csv", "alice.csv")
        told = desk.run(*STATEMENT)
        refused = desk.run("index", "rebuild")
        beside = desk.do("index", "status")
    rows = list(csv.DictReader((tmp_path / "alice.csv").read_text("utf-8").splitlines()))

    assert (shown["opening"], shown["closing"], len(shown["movements"])) == ("0.00", "87.50", 2)
    assert [(row["way"], row["amount"], row["balance"]) for row in rows] == [
        ("in", "100.00", "100.00"),
        ("out", "12.50", "87.50"),
    ]
    assert told.stdout.splitlines()[-1] == "2 movements, 0.00 to 87.50"
    assert refused.returncode == 75
    assert beside["lag_blocks"] == 0
    made = desk.do("index", "rebuild")
    again = desk.do("index", "rebuild", "--continue")
    looked = desk.run("index", "status")
    assert made == again == {"height": beside["height"], "from_block": 0}
    assert looked.stdout.splitlines()[-1] == f"index: block {made['height']}, nothing lacks"


def test_a_wrong_period_is_told_as_that(desk: Desk) -> None:
    """
    Given a node,
    when a statement and a bundle are asked for of a period that ends before it begins, or that is
    none,
    then each ends as wrong usage, and says what a period is.
    """
    bundle = ("account", "bundle", "alice", "--asset", "CNY.operator", "--out", "alice.zip")
    with desk.node():
        told = [
            desk.run(*words, *period)
            for words in (STATEMENT, bundle)
            for period in (("--from", "2030-02-01", "--to", "2030-01-01"), ("--from", "soon"))
        ]
    assert [one.returncode for one in told] == [2] * 4, told
    assert all("do: change --from or --to" in one.stderr for one in told), told


def test_without_an_index_or_a_node_it_says_what_to_do(desk: Desk) -> None:
    """
    Given a folder that no node has served,
    when a statement and the index are asked for,
    then each ends with what to do instead.
    """
    told = desk.run(*STATEMENT)
    assert (told.returncode, "start it with `tongbao run`" in told.stderr) == (66, True)
    told = desk.run("index", "status")
    assert (told.returncode, "index rebuild" in told.stderr) == (66, True)
