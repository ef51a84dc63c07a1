"""Wrong uses of the kernel's types: mypy refuses each marked line, and no other."""

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "wrong_uses"
ROOT = FOLDER.parents[2]
PROGRAMS = sorted(path.name for path in FOLDER.glob("*.py"))
EXPECTED = re.compile(r"# expect: ([a-z -]+)$")
FOUND = re.compile(r"(?P<path>[^:]+):(?P<line>[0-9]+): error: .*\[(?P<code>[a-z-]+)\]")

Errors = dict[int, set[str]]
"""The error codes of each line."""


def expected(program: str) -> Errors:
    """What a program's own comments ask for."""
    lines = (FOLDER / program).read_text().splitlines()
    marked = ((number, EXPECTED.search(line)) for number, line in enumerate(lines, 1))
    return {number: set(mark[1].split()) for number, mark in marked if mark is not None}


@pytest.fixture(scope="module")
def found() -> dict[str, Errors]:
    """What mypy says of each program, under the settings that hold for all of the project."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-pretty", "--no-error-summary"]
    paths = [str(FOLDER / program) for program in PROGRAMS]
    ended = subprocess.run(
        [*command, *paths], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1, ended.stdout + ended.stderr
    errors: dict[str, Errors] = defaultdict(lambda: defaultdict(set))
    for line in ended.stdout.splitlines():
        error = FOUND.fullmatch(line)
        if error is not None:
            errors[Path(error["path"]).name][int(error["line"])].add(error["code"])
    return errors


@pytest.mark.parametrize("program", PROGRAMS)
def test_mypy_refuses_every_wrong_use_and_nothing_else(
    program: str, found: dict[str, Errors]
) -> None:
    """
    Given a program whose wrong lines are marked with the error that they are,
    when mypy checks it strictly,
    then it finds exactly those errors on those lines, and the right lines between them pass.
    """
    assert found[program] == expected(program)


def test_every_program_is_wrong_somewhere() -> None:
    """
    Given the programs,
    when their marks are counted,
    then each but the folder's own file has some, so that none passes for want of a mark.
    """
    unmarked = [program for program in PROGRAMS if not expected(program)]
    assert unmarked == ["__init__.py"]
