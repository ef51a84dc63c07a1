"""The table of exit codes is whole, documented, and holds for the errors of every package."""

from __future__ import annotations

from pathlib import Path

import pytest

import tongbao.cli
from tongbao.cli.exits import MEANINGS, Exit, advice_for
from tongbao.engines.solo import Busy, EngineStopped
from tongbao.sdk.client import Refused
from tongbao.sdk.folder import FolderError
from tongbao.sdk.keystore import KeystoreError
from tongbao.sdk.verification import VerificationError
from tongbao.store import errors


def kinds_below(kind: type[Exception]) -> list[type[Exception]]:
    """An error class and all classes under it."""
    return [kind, *(found for below in kind.__subclasses__() for found in kinds_below(below))]


def test_every_code_has_a_meaning_and_advice() -> None:
    """
    Given the codes,
    when they are looked up in the table,
    then each has a meaning and an advice, and none stands there twice.
    """
    assert list(MEANINGS) == list(Exit)
    assert all(meaning.what and meaning.advice for meaning in MEANINGS.values())


def test_the_readme_has_the_table_as_it_is() -> None:
    """
    Given the README of the command line,
    when its table of exit codes is compared with the code's,
    then they are equal.
    """
    readme = Path(tongbao.cli.__file__).with_name("README.md").read_text()
    rows = [f"| {int(code)} | {told.what} | {told.advice} |" for code, told in MEANINGS.items()]

    assert [line for line in readme.splitlines() if line[:3].strip("| ").isdigit()] == rows


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for base in (
            *(Refused, FolderError, VerificationError, EngineStopped, Busy),
            *(KeystoreError, errors.StoreError),
        )
        for kind in kinds_below(base)
    ],
)
def test_the_errors_of_every_package_have_codes_of_the_table(kind: type[Exception]) -> None:
    """
    Given an error class that carries an exit code,
    when the code is looked up,
    then the table has it.
    """
    assert kind.exit_code in set(Exit)  # type: ignore[attr-defined]


def test_a_code_of_another_package_gets_general_advice() -> None:
    """
    Given an exit code that is not in the table,
    when advice is asked for,
    then it is to read the help.
    """
    assert advice_for(99) == "see the command's --help"
