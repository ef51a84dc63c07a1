"""Bars and tables by rich say what the plain ones say."""

from __future__ import annotations

import pytest

from tongbao.cli.rich_output import bars, draw


def test_a_drawn_table_holds_every_cell(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Given rows, one with what looks like markup,
    when rich draws them,
    then columns and cells are there as they are.
    """
    draw(("name", "value"), [("a", "[red]1"), ("b", "2")])

    told = capsys.readouterr().out
    assert all(word in told for word in ("name", "value", "a", "[red]1", "b", "2"))


def test_bars_follow_every_stage(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Given two stages,
    when their progress is told to the end,
    then standard error shows both whole and standard output nothing.
    """
    with bars() as tell:
        for stage in ("blocks", "rows"):
            tell(stage, 1, 2)
            tell(stage, 2, 2)

    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("2/2") == 2
