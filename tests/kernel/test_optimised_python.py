"""A Python that was started without assertions decides nothing: they guard the ledger."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.calling import PASSPHRASE, Place
from tongbao.cli.exits import Exit

TEXT = "Tongbao does not run under `python -O`"
ASKED = "from tongbao.kernel.assertions import require_assertions; require_assertions()"


def run(
    *words: str, folder: Path | None = None, variables: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Start this Python anew."""
    inherited = {name: text for name, text in os.environ.items() if "TONGBAO" not in name}
    environment = inherited | {"PYTHONOPTIMIZE": "", "TONGBAO_PASSPHRASE": PASSPHRASE}
    environment |= variables or {}
    if folder is not None:
        environment["TONGBAO_FOLDER"] = str(folder)
    command = [sys.executable, *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def command(name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one of the program's commands without assertions."""
    return run("-O", "-m", "tongbao.cli.main", name, folder=folder)


def files_of(folder: Path) -> dict[Path, bytes]:
    """Every file of a chain but the locks, which every reader touches."""
    found = (path for path in folder.rglob("*") if path.is_file() and "lock" not in path.name)
    return {path: path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a chain that was begun with assertions."""
    place = Place(tmp_path_factory.mktemp("optimised") / "chain")
    place.do("init", "--name", "guarded")
    return place.folder


@pytest.mark.parametrize(
    ("words", "variables", "refuses"),
    [
        ((), {}, False),
        (("-O",), {}, True),
        (("-OO",), {}, True),
        ((), {"PYTHONOPTIMIZE": "1"}, True),
        ((), {"PYTHONOPTIMIZE": "2"}, True),
    ],
)
def test_every_way_to_remove_assertions_is_noticed(
    words: tuple[str, ...], variables: dict[str, str], refuses: bool
) -> None:
    """
    Given Python with assertions, and without them by either option or by the environment,
    when it is asked whether it has them,
    then it raises where they are gone.
    """
    ended = run(*words, "-c", ASKED, variables=variables)

    assert (ended.returncode != 0, TEXT in ended.stderr) == (refuses, refuses)


def test_a_chain_is_not_opened_without_assertions(begun: Path) -> None:
    """
    Given a chain that was begun with assertions,
    when a Python without them would open it,
    then it ends with an error that says so, and no byte of the chain is another.
    """
    before = files_of(begun)
    ended = command("status", begun)

    assert ended.returncode != 0 and TEXT in ended.stderr
    assert ended.stdout == ""
    assert files_of(begun) == before


def test_the_exit_code_says_that_the_installation_does_not_fit(begun: Path) -> None:
    """
    Given a chain that was begun with assertions,
    when a Python without them would open it,
    then the exit code is not that of a refused transaction, and the text has no traceback.
    """
    ended = command("status", begun)

    assert ended.returncode == Exit.CONFIGURATION
    assert "Traceback" not in ended.stderr


def test_no_chain_begins_without_assertions(tmp_path: Path) -> None:
    """
    Given a folder that is not there,
    when a Python without assertions would begin a chain in it,
    then nothing is left behind: no key, no genesis file, no block.
    """
    ended = command("init", tmp_path / "chain")

    assert ended.returncode != 0 and TEXT in ended.stderr
    assert files_of(tmp_path) == {}


def test_nothing_is_audited_without_assertions(begun: Path) -> None:
    """
    Given a chain that was begun with assertions,
    when a Python without them would audit it,
    then it says so, and does not say that anything holds.
    """
    ended = command("audit", begun)

    assert ended.returncode != 0 and TEXT in ended.stderr
    assert "hold" not in ended.stdout
