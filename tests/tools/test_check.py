"""The checks are run together, and the verdict agrees with each of them."""

from __future__ import annotations

import sys

import pytest

from tools.check import Check, Outcome, checks, main, report, run


def test_a_check_keeps_its_verdict_and_all_its_output() -> None:
    """
    Given a program that prints to both outputs and fails,
    when it is run as a check,
    then both are kept in order, and the check has failed.
    """
    program = "import sys; print('one', flush=True); sys.exit('two')"
    outcome = run(Check("lint", (sys.executable, "-c", program)))
    assert outcome._replace(seconds=0) == Outcome("lint", False, 0, "one\ntwo\n")


def test_the_last_line_is_the_verdict_of_all_checks() -> None:
    """
    Given checks that passed and one that failed,
    when they are reported,
    then the failed one's output comes first and its name stands in the last line.
    """
    good = Outcome("types", True, 2.5, "fine\n")
    bad = Outcome("lint", False, 0.25, "a.py:1: wrong\n")
    assert report([good, bad], 3).splitlines() == [
        "--- lint ---",
        "a.py:1: wrong",
        "",
        "types        passed    2.5 s",
        "lint         FAILED    0.2 s",
        "check: FAILED: lint",
    ]
    assert report([good], 3).splitlines()[-1] == "check: 1 of 1 passed in 3 s"


def test_an_unknown_check_is_told_with_those_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    """Given a name that no check has, when it is asked for, then the known names are printed."""
    names = ", ".join(check.name for check in checks())
    assert main(["tipes"]) == 2
    assert capsys.readouterr().out == (
        f"check: FAILED: no check is named tipes; there are {names}\n"
    )
