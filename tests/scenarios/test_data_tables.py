"""The lists of the README are the tests that there are, and name all rows of the module's table."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MODULE = HERE.parents[1] / "src/tongbao/modules/data/README.md"
TITLES = {
    "The transition table": "scenarios/test_data_transitions.py",
    "The table of deviations": "scenarios/test_data_outcomes.py",
}
ROW = re.compile(r"\| .* \| `(test_\w+)` \|")


def parts() -> dict[str, str]:
    """The parts of the README by their titles."""
    found = re.split(r"\n## (.*)\n", (HERE / "README.md").read_text(encoding="utf-8"))
    return dict(zip(found[1::2], found[2::2], strict=True))


def names_in(file: str) -> list[str]:
    """The names of the tests of a file."""
    tree = ast.parse((HERE.parent / file).read_text(encoding="utf-8"))
    found = [one.name for one in tree.body if isinstance(one, ast.FunctionDef)]
    return [name for name in found if name.startswith("test_")]


@pytest.mark.parametrize("title", TITLES)
def test_each_row_is_a_test_and_each_test_a_row(title: str) -> None:
    """
    Given a list of the README,
    when it is held to the tests of its file,
    then each row names one, in the same order, and none is left over.
    """
    assert ROW.findall(parts()[title]) == names_in(TITLES[title])


def test_each_law_is_a_test_that_there_is() -> None:
    """
    Given the list of laws,
    when its tests are looked for in their files,
    then each is there.
    """
    rows = re.findall(r"\| `([\w/]+\.py)` \| `(test_\w+)` \|", parts()["What the law asks"])

    assert len(rows) == parts()["What the law asks"].count("\n| ") - 2
    for file, name in rows:
        assert name in names_in(file), (file, name)


def test_every_row_of_the_module_s_table_is_listed() -> None:
    """
    Given the table of the module's README,
    when its rows are looked for among the transitions,
    then each is there: from where, by what, to where.
    """
    text = MODULE.read_text(encoding="utf-8")
    rows = re.findall(r"\n\| ([a-z, -]+) \| (`\w+`|the deadline)", text)
    listed = parts()["The transition table"]
    doubled = {("revealed", "`accept`"), ("revealed", "the deadline")}

    assert len(rows) > 8
    for start, said in {*rows, *doubled}:
        assert f"| {start} | {said} |" in listed, (start, said)
