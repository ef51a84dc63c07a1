"""The locks name exact versions with hashes, and hold on every machine."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tools.lock import LOCKS, ROOT, arguments

PIN = re.compile(r"^([a-z0-9][a-z0-9.-]*)==\S+(?: ; [^\\]+)? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")
COMMENT = re.compile(r"^ *#")


def lines_of(name: str) -> list[str]:
    """The lines of a lock that are not comments."""
    lines = (ROOT / name).read_text().splitlines()
    return [line for line in lines if not COMMENT.match(line)]


def pins_of(name: str) -> set[str]:
    """The exact versions that a lock names, with the machines they are for."""
    return {line for line in lines_of(name) if PIN.match(line)}


def versions_of(name: str) -> set[str]:
    """The exact versions that a lock names, for whatever machines."""
    return {re.split(r"[ ;]", line)[0] for line in pins_of(name)}


@pytest.mark.parametrize("name", [name for name, _ in LOCKS])
def test_a_lock_holds_versions_and_hashes_and_nothing_else(name: str) -> None:
    """
    Given a lock,
    when each line is read,
    then it is an exact version or a hash: no option, no index's address, no path.
    """
    assert [line for line in lines_of(name) if not (PIN.match(line) or HASH.match(line))] == []


@pytest.mark.parametrize(
    "name", ["requirements/node.txt", "requirements/pkcs11.txt", "requirements/verify.txt"]
)
def test_what_is_installed_elsewhere_is_locked_to_what_the_tests_ran_on(name: str) -> None:
    """Given the lock of a node or verifier, when compared, then its versions are the tests'."""
    assert versions_of(name) - versions_of("requirements/dev.txt") == set()


def test_each_dependency_of_the_project_is_locked() -> None:
    """Given what pyproject.toml asks for, when looked up, then the development lock has it."""
    project = tomllib.loads(Path(ROOT / "pyproject.toml").read_text())
    asked = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["node"],
        *project["dependency-groups"]["dev"],
    ]
    names = {re.split(r"[<>=\[]", line)[0] for line in asked}
    locked = {line.split("==")[0] for line in pins_of("requirements/dev.txt")}
    assert names - locked <= {"tongbao"}  # extras include one another


def test_a_lock_is_made_for_every_machine_and_the_oldest_python() -> None:
    """Given a lock's call, when its options are read, then none depends on this machine."""
    options = arguments("out.txt", ())
    assert [option for option in options if option.startswith("--")] == [
        "--universal",
        "--python-version",
        "--upgrade",
        "--generate-hashes",
        "--no-emit-index-url",
        "--no-emit-find-links",
        "--quiet",
        "--custom-compile-command",
        "--output-file",
    ]
