"""Random damage: the doctor and a start come to the same, and the doctor changes nothing."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from tests.sdk.damaged_folder import feed
from tests.sdk.examined import bytes_of
from tests.sdk.kept_chain import Kept, keep
from tongbao.kernel import GenesisError
from tongbao.sdk.announced import ModuleError
from tongbao.sdk.doctor import examine
from tongbao.sdk.doctor_finding import Severity, exit_code_of
from tongbao.sdk.folder import FolderError
from tongbao.sdk.opening import open_chain
from tongbao.store.errors import StoreError

SEEDS = 60
HEAD_BYTES = 300
NOT_OPENED = ("index", "trust", "keys", "space")
"""Checks of what a start does not look at."""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """A closed chain with an index: made once, and only copied."""
    made = keep(tmp_path_factory.mktemp("original") / "chain")
    feed(made, made.head.height)
    return made


def harm(path: Path, rng: random.Random) -> str:
    """Change, cut or remove a file at random; what was done."""
    kind = rng.choice(("flip", "cut", "zeros", "gone", "more"))
    data = bytearray(path.read_bytes())
    if kind == "gone" or not data:
        path.unlink()
        return f"{path.name} gone"
    at = rng.randrange(len(data) if rng.random() < 0.5 else min(len(data), HEAD_BYTES))
    match kind:
        case "flip":
            data[at] ^= 1 << rng.randrange(8)
        case "cut":
            del data[at:]
        case "zeros":
            data[at : at + 512] = bytes(len(data[at : at + 512]))
        case _:
            data += rng.randbytes(rng.randrange(1, 200))
    path.write_bytes(data)
    return f"{path.name} {kind} {at}"


def start(folder: Path) -> int:
    """The exit code of opening a folder to read."""
    try:
        open_chain(folder).close()
    except (StoreError, FolderError, GenesisError, ModuleError) as error:
        return exit_code_of(error)
    return 0


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_doctor_says_of_random_damage_what_the_start_does(
    original: Kept, tmp_path: Path, seed: int
) -> None:
    """
    Given a folder in which one to three files were changed, cut or removed at random,
    when it is examined, and then opened,
    then no byte has changed by the first, and both come to the same exit code.
    """
    rng = random.Random(seed)
    folder = tmp_path / "chain"
    shutil.copytree(original.folder, folder)
    files = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.parent.name != "keys" and path.name not in {"lock", "lock.mdb"}
    ]
    done = [harm(path, rng) for path in rng.sample(files, rng.randint(1, 3))]
    before = bytes_of(folder)
    report = examine(folder, is_deep=True)
    assert bytes_of(folder) == before, done
    broken = [each for each in report.of(Severity.BROKEN) if each.check not in NOT_OPENED]
    assert (done, next((each.exit_code for each in broken), 0)) == (done, start(folder))
