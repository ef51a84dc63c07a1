"""A demonstration that can't go on says why in two lines, the verdict last."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.demo.beginning import SECRET, new_chain
from tests.demo.test_commands import COMMAND, started
from tongbao.demo.failures import DEFAULT_FOLDER, begin_anew
from tongbao.demo.serving import LOG_FILE, SECRET_FILE
from tongbao.sdk.opening import create_chain, open_chain

Damage = Callable[[Path], object]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration's folder with a new chain, only copied."""
    folder = tmp_path_factory.mktemp("original")
    new_chain(folder)
    return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    """A copy of one's own."""
    return shutil.copytree(original, tmp_path / "purchases")


def complaint(folder: Path) -> tuple[int, str, list[str]]:
    """How the command ends that can't go on in a folder: code, output, lines of complaint."""
    ended = subprocess.run(
        [*COMMAND, "--once", "--folder", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return ended.returncode, ended.stdout, ended.stderr.splitlines()


def other_code(folder: Path) -> None:
    """Let genesis name a kernel that is not installed."""
    file = folder / "genesis.json"
    genesis = json.loads(file.read_text())
    genesis["modules"][0]["hash"] = "5e" * 32
    file.write_text(json.dumps(genesis, sort_keys=True, separators=(",", ":")))


def cut_genesis(folder: Path) -> None:
    """Lose the end of the genesis file."""
    file = folder / "genesis.json"
    file.write_bytes(file.read_bytes()[:-9])


def spoil_log(folder: Path) -> None:
    """Change a byte in the middle of block 0, and lose the copy of its rows."""
    file = folder / "log" / "00000000.log"
    text = bytearray(file.read_bytes())
    text[len(text) // 2] ^= 1
    file.write_bytes(text)
    shutil.rmtree(folder / "state")


def lose_key(folder: Path) -> None:
    """Lose the key that signs blocks."""
    (folder / "keys" / "authority.json").unlink()


def other_secret(folder: Path) -> None:
    """Exchange the secret of the keys."""
    (folder / SECRET_FILE).write_text("11" * 32)


def cut_secret(folder: Path) -> None:
    """Lose the end of the secret."""
    (folder / SECRET_FILE).write_text(SECRET[:-1])


@pytest.mark.parametrize(
    ("damage", "code", "said"),
    [
        (other_code, 78, "module kernel 0 is not the one that genesis names"),
        (cut_genesis, 66, "the genesis file can't be read"),
        (spoil_log, 74, "00000000.log"),
        (lose_key, 77, "has no key authority"),
        (other_secret, 77, "passphrase"),
        (cut_secret, 66, "was cut short"),
    ],
)
def test_a_folder_in_which_no_chain_goes_on_is_to_be_removed(
    folder: Path, damage: Damage, code: int, said: str
) -> None:
    """
    Given the folder of an earlier start, begun by other code or damaged,
    when the demonstration is started there,
    then one line says how to begin anew, the last what is wrong, with the code of its kind.
    """
    damage(folder)
    ended, out, lines = complaint(folder)

    again = f"do: remove {folder}, then: tongbao demo purchases --folder {folder}"
    assert (ended, out, lines[0], len(lines)) == (code, "", again, 2)
    assert lines[1].startswith("error: ")
    assert said in lines[1]


def test_the_folder_of_make_run_begins_anew_by_make_run() -> None:
    """
    Given the folder that `make run` uses,
    when its chain can't go on,
    then the advice is what people typed.
    """
    assert begin_anew(DEFAULT_FOLDER) == "remove build/purchases, then: make run"


def test_a_folder_in_use_is_not_to_be_removed(folder: Path) -> None:
    """
    Given a folder that another process has open,
    when the demonstration is started there,
    then the advice is to stop the other, and the code to try again.
    """
    with open_chain(folder):
        code, out, lines = complaint(folder)

    assert (code, out) == (75, "")
    assert lines[0] == "do: stop the other run, or name another folder with --folder"
    assert lines[1].startswith("error: ")


def test_a_node_that_is_killed_before_it_serves_is_missed(folder: Path) -> None:
    """
    Given a start whose node can't read the secret yet, because it is a pipe,
    when the node is killed meanwhile,
    then two lines say so and name its log.
    """
    pipe = folder / SECRET_FILE
    pipe.unlink()
    os.mkfifo(pipe)
    with started(folder, "--once") as run:
        pipe.write_text(SECRET)
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children")
        while not (found := children.read_text().split()):
            assert run.poll() is None
        os.kill(int(found[0]), signal.SIGKILL)
        out, told = run.communicate(timeout=120)

    assert (run.returncode, out, told.splitlines()) == (
        70,
        "",
        [f"do: see {folder / LOG_FILE}", "error: the node has ended before it served"],
    )


@contextmanager
def unchanged(folder: Path) -> Iterator[None]:
    """Check that nothing is written into a folder."""
    before = {path: path.is_file() and path.read_bytes() for path in folder.rglob("*")}
    yield
    assert {path: path.is_file() and path.read_bytes() for path in folder.rglob("*")} == before


@pytest.mark.parametrize("lost", ["", "genesis.json"])
def test_nothing_is_written_into_a_chain_of_somebody_else(tmp_path: Path, lost: str) -> None:
    """
    Given the folder of an ordinary chain, and one with its keys alone,
    when the demonstration is started there,
    then it is refused, and the folder is as it was.
    """
    theirs = tmp_path / "theirs"
    chain, _ = create_chain(theirs, passphrase="correct horse battery")
    chain.close()
    if lost:
        (theirs / lost).unlink()
    with unchanged(theirs):
        assert complaint(theirs) == (
            66,
            "",
            [
                "do: name another folder with --folder",
                f"error: {theirs} holds a chain or keys that are not the demonstration's",
            ],
        )
