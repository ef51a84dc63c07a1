"""Where CometBFT is found, and that another version is not taken."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tongbao.engines.cometbft.program import VARIABLE, VERSION, ProgramError, find_program
from tools.cometbft import VERSION as BUILT


def script(folder: Path, version: str) -> Path:
    """A program that says it is a version."""
    folder.mkdir()
    file = folder / "cometbft"
    file.write_text(f"#!/bin/sh\necho {version}\n")
    file.chmod(0o755)
    return file


def test_the_program_that_is_named_has_the_one_version(tmp_path: Path) -> None:
    """
    Given programs of this version and another, one that fails, and a name of nothing,
    when they are named,
    then the first is taken and the others refused, by name and with what to do.
    """
    assert VERSION == BUILT
    good = script(tmp_path / "good", VERSION)
    assert find_program(good) == good
    failing = tmp_path / "failing"
    failing.write_text("")
    for program, says in (
        (script(tmp_path / "old", "0.38.1"), "is 0.38.1, not 0.39.4"),
        (failing, "is no CometBFT"),
        (tmp_path / "missing", "which is no file"),
    ):
        with pytest.raises(ProgramError, match=f"{program}.*{says}.*make setup-cometbft"):
            find_program(program)


def test_the_variable_comes_before_what_is_installed(tmp_path: Path) -> None:
    """
    Given a program on PATH, and another that the variable names,
    when a process with these looks for CometBFT,
    then it takes the variable's.
    """
    on_path, named = script(tmp_path / "path", VERSION), script(tmp_path / "named", VERSION)
    code = "from tongbao.engines.cometbft.program import find_program; print(find_program())"
    variables = {"PATH": f"{on_path.parent}:/usr/bin:/bin", VARIABLE: str(named)}
    said = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.stdout.strip() == str(named), said.stderr
