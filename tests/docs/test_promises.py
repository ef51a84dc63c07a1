"""The failure model promises only what tests hold."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs/operate/failure-model.md"


COMPARISON: Final = ROOT / "docs/compare.md"


def there() -> set[str]:
    """The names of all tests."""
    return {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(
            r"^(?:async )?def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE
        )
    }


def test_every_promise_of_the_failure_model_names_tests_that_exist() -> None:
    """
    Given the table of what may fail and what is promised,
    when the tests that it names are looked for,
    then each exists, and no promise is without one.
    """
    rows = re.findall(
        r"^\| (?!---|what happens)(.+?) \| .+ \| (.*) \|$",
        PAGE.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    named = {failure: re.findall(r"`(test_\w+)`", tests) for failure, tests in rows}
    assert len(rows) > 12
    assert [failure for failure, tests in named.items() if not tests] == []
    assert {name for tests in named.values() for name in tests} <= there()


def test_every_control_that_is_compared_names_tests_that_exist() -> None:
    """
    Given the tables that set our controls beside those of other ledgers,
    when their rows are read,
    then each says something of every peer, and names tests that there are.
    """
    lines = COMPARISON.read_text(encoding="utf-8").splitlines()
    cells = [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]
    heads = [row for row in cells if row[0] == "control"]
    rows = [row for row in cells if row[0] not in ("control", "---")]
    assert len(heads) >= 4
    assert {tuple(head) for head in heads} == {
        ("control", "Jingtum", "XRPL", "Stellar", "Fabric", "what is different here", "test")
    }
    assert len(rows) > 30
    assert [row[0] for row in rows if len(row) != len(heads[0]) or not all(row)] == []
    named = [(row[0], re.findall(r"`(test_\w+)`", row[-1])) for row in rows]
    assert [control for control, tests in named if not tests] == []
    assert {name for _, tests in named for name in tests} <= there()


def test_every_link_of_the_operations_guide_leads_somewhere() -> None:
    """
    Given the pages for operators,
    when their links to files are followed,
    then each file is there.
    """
    broken = [
        (page.name, target)
        for page in sorted(PAGE.parent.glob("*.md"))
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []
