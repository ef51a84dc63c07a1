"""The list of a node's promises in README.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent


def test_every_promise_is_kept_by_tests_that_exist() -> None:
    """
    Given the table of promises,
    when the tests that it names are looked for in this folder,
    then each exists, and no promise is without one.
    """
    rows = re.findall(
        r"^\| (?!---|a node)(.+?) \| (.*) \|$",
        HERE.joinpath("README.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    named = {promise: re.findall(r"`(test_\w+)`", tests) for promise, tests in rows}
    there = {
        name
        for file in HERE.rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }

    assert len(rows) > 15
    assert [promise for promise, tests in named.items() if not tests] == []
    assert {name for tests in named.values() for name in tests} <= there
