"""What `tongbao new module` writes holds to the rules of Tongbao's own modules."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.desk import Desk
from tongbao.cli.new_commands import usual_number

WRITTEN = [
    *("README.md", "pyproject.toml"),
    *(f"src/loyalty/{name}" for name in ("__init__.py", "messages.py", "py.typed", "rules.py")),
    *("tests/conftest.py", "tests/test_rules.py"),
]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An empty folder."""
    return Desk(tmp_path)


def test_a_new_module_passes_its_tests_the_linter_and_the_type_checker(desk: Desk) -> None:
    """
    Given a module that was just written,
    when its tests, ruff and mypy --strict are run in its folder,
    then all pass, and no file names an address of the network.
    """
    told = desk.do("new", "module", "loyalty", "--license", "MIT")
    assert told["files"] == WRITTEN
    assert told["number"] == usual_number("loyalty")
    project = Desk(desk.folder / "loyalty")
    for words in (
        ("-m", "pytest", "-q"),
        ("-m", "ruff", "check"),
        ("-m", "ruff", "format", "--check"),
        ("-m", "mypy", "--strict", "src", "tests"),
    ):
        ended = project.program(sys.executable, *words)
        assert ended.returncode == 0, (words, ended.stdout, ended.stderr)
    texts = [(project.folder / path).read_text() for path in WRITTEN]
    assert not any("http" in text or "{{" in text for text in texts)
    assert 'license = "MIT"' in texts[1]


def test_nothing_that_is_there_is_written_over(desk: Desk) -> None:
    """
    Given a folder with a file in it, and one without,
    when a module is written into them,
    then the first is refused and as it was, and the second is taken.
    """
    full, empty = desk.folder / "full", desk.folder / "empty"
    for folder in (full, empty):
        folder.mkdir()
    (full / "mine.txt").touch()
    told = desk.run("new", "module", "loyalty", "--into", "full")
    assert (told.returncode, told.stderr) == (
        66,
        "do: name a new folder with --into\nerror: full is there already and is not empty\n",
    )
    assert [path.name for path in full.iterdir()] == ["mine.txt"]
    assert desk.do("new", "module", "loyalty", "--into", "empty")["files"] == WRITTEN


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("Loyalty", "'Loyalty' can't name a module"),
        ("../up", "'../up' can't name a module"),
        ("class", "'class' can't name a module"),
        ("hold", "Tongbao itself has something named hold"),
        ("run", "Tongbao itself has something named run"),
        ("rows", "Tongbao itself has something named rows"),
        ("json", "Python finds another package named json here"),
        ("click", "Python finds another package named click here"),
    ],
)
def test_a_name_that_would_clash_is_refused(desk: Desk, name: str, wrong: str) -> None:
    """
    Given a name that is none, or that Tongbao or Python has already,
    when a module of that name is to be written,
    then it is refused with the reason, and nothing is written.
    """
    told = desk.run("new", "module", "--", name)
    assert (told.returncode, told.stderr.splitlines()[-1]) == (2, f"error: {wrong}")
    assert list(desk.folder.iterdir()) == []


def test_a_module_of_others_is_not_written_into_the_repository(desk: Desk) -> None:
    """
    Given a folder inside Tongbao's own repository,
    when a module is to be written there,
    then it is refused.
    """
    inside = Path(__file__).parent / "loyalty"
    told = desk.run("new", "module", "loyalty", "--into", str(inside))
    assert told.returncode == 66
    assert "lies in Tongbao's own repository" in told.stderr
    assert not inside.exists()


def test_usual_numbers_are_third_parties() -> None:
    """
    Given many names,
    when their usual numbers are asked for,
    then each is 1000 to 65535, and they are spread over all of them.
    """
    numbers = [usual_number(f"module{at}") for at in range(1_000)]
    assert all(1_000 <= number <= 65_535 for number in numbers)
    assert len(set(numbers)) > 980
