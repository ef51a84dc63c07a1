"""What commands print where nobody looks on."""

from __future__ import annotations

import pytest

from tongbao.cli.terminal import Terminal, count


def test_plain_facts_end_in_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Given facts of several types,
    when they are printed as text,
    then each has a line, absence is a dash, and the verdict is last.
    """
    Terminal().answer({"a": "text", "long": [1, 2], "none": None}, "done")

    assert capsys.readouterr().out == "a     text\nlong  [1,2]\nnone  -\ndone\n"


def test_json_is_one_line_without_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Given the same facts,
    when they are printed as JSON,
    then there is one object and nothing else, notes included.
    """
    terminal = Terminal()
    terminal.json = True
    terminal.note("by the way")
    terminal.answer({"a": "text", "none": None}, "done")

    assert capsys.readouterr() == ('{"a":"text","none":null}\n', "")


def test_a_table_without_a_terminal_is_plain_columns(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Given rows,
    when they are printed where no terminal is,
    then columns are aligned by spaces, and no rows print no columns.
    """
    Terminal().table({}, ("name", "value"), [("a", 1), ("longer", None)], "2 rows")
    Terminal().table({}, ("name", "value"), [], "0 rows")

    told = capsys.readouterr().out
    assert told == "name    value\na       1\nlonger  -\n2 rows\n0 rows\n"


def test_progress_is_silent_where_nobody_looks_on(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Given a standard error that is no terminal,
    when progress is told,
    then nothing is printed.
    """
    with Terminal().progress() as tell:
        tell("blocks", 1, 2)
        tell("blocks", 2, 2)

    assert capsys.readouterr() == ("", "")


def test_things_are_counted_in_words() -> None:
    """
    Given numbers,
    when things are counted,
    then one is singular and all others are plural.
    """
    assert [count(number, "row") for number in (0, 1, 2)] == ["0 rows", "1 row", "2 rows"]
