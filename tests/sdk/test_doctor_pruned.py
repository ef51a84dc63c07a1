"""Audit and doctor on a chain that goes on from a base, as it is and as accidents leave it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.sdk.damaged_folder import cut
from tests.sdk.examined import Found, found_in
from tests.sdk.kept_chain import reopen
from tests.sdk.pruned_chain import BASE, lay, lay_bare
from tests.store.blocks import flip
from tongbao.index.history import FILE, Index
from tongbao.sdk.audit import audit_folder
from tongbao.sdk.doctor import examine
from tongbao.sdk.doctor_finding import Severity
from tongbao.store.base import KEEP, base_name
from tongbao.store.errors import StoreError

Damage = Callable[[Path], object]

NAME = base_name(BASE)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with bodies from block 5 on, which tests copy."""
    return lay(tmp_path_factory.mktemp("sound") / "chain").folder


@pytest.mark.parametrize("is_deep", [False, True])
@pytest.mark.parametrize("make", [lay, lay_bare])
def test_a_pruned_chain_is_fine(
    tmp_path: Path, make: Callable[[Path], object], is_deep: bool
) -> None:
    """
    Given a chain with bodies from block 5 on, and one that has none yet,
    when each is audited and examined,
    then nothing is found, and the doctor says what the base has.
    """
    folder = tmp_path / "chain"
    make(folder)
    reopen(folder).close()  # so that there are rows and a copy of the headers
    examined = examine(folder, is_deep=is_deep)
    said = {one.check: one.text for one in examined.findings}

    assert found_in(folder, is_deep=is_deep) == (Found(()), "")
    assert "all whole" in said["base"] and NAME in said["base"]
    assert audit_folder(folder).findings == ()


def last_byte(*parts: str) -> Damage:
    """Change a bit of a file in the base: its last one."""

    def damage(base: Path) -> None:
        path = base.joinpath(*parts)
        flip(path, path.stat().st_size - 1)

    return damage


def first_chunk(base: Path) -> None:
    """Change a bit in the middle of a chunk."""
    path = next((base / "chunks").iterdir())
    flip(path, path.stat().st_size // 2)


def gone(*parts: str) -> Damage:
    """Remove a file of the base."""
    return lambda base: base.joinpath(*parts).unlink()


def shorter(*parts: str) -> Damage:
    """Cut a file of the base."""

    def damage(base: Path) -> None:
        path = base.joinpath(*parts)
        cut(path, path.stat().st_size - 3)

    return damage


def wrong_keep(base: Path) -> None:
    """Somebody has edited what is to be kept, and made no JSON of it."""
    (base / KEEP).write_text("{first: 5}")


DAMAGES: dict[str, Damage] = {
    "a chunk damaged": first_chunk,
    "a chunk gone": lambda base: next((base / "chunks").iterdir()).unlink(),
    "headers damaged": last_byte("history", "headers"),
    "headers cut": shorter("history", "headers"),
    "headers gone": gone("history", "headers"),
    "outcomes damaged": last_byte("history", "outcomes"),
    "outcomes cut": shorter("history", "outcomes"),
    "outcomes gone": gone("history", "outcomes"),
    "entries damaged": last_byte("history", "entries"),
    "entries cut": shorter("history", "entries"),
    "entries gone": gone("history", "entries"),
    "manifest damaged": last_byte("manifest.json"),
    "manifest gone": gone("manifest.json"),
    "keep is no JSON": wrong_keep,
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_in_a_base_is_found_and_told_with_advice(
    tmp_path: Path, sound: Path, name: str
) -> None:
    """
    Given a chain on a base, of which one file was damaged, cut or lost,
    when it is examined,
    then the base is what is broken, the text names it, and there is advice.
    """
    folder = tmp_path / "chain"
    shutil.copytree(sound, folder)
    DAMAGES[name](folder / NAME)
    found, said = found_in(folder)
    (broken,) = [line for line in said.splitlines() if line.startswith("base: ")]

    assert ("base", found.findings[0][1]) in found.findings
    assert found.exit_code != 0
    assert NAME in broken
    assert any(word in broken for word in ("from a backup", "write it again")), broken


@pytest.mark.parametrize(
    ("height", "said"),
    [
        (1, "index: of block 1, and bodies begin with block 5: a node makes it anew"),
        (4, "index: of block 4: a node adds the later ones"),
        (8, ""),
    ],
)
def test_an_index_of_pruned_blocks_is_judged_by_their_headers(
    tmp_path: Path, sound: Path, height: int, said: str
) -> None:
    """
    Given a chain with bodies from block 5 on, and an index up to a block before or after,
    when the folder is examined,
    then the doctor says what a node will do with the index; one of another history is told.
    """
    folder = tmp_path / "chain"
    shutil.copytree(sound, folder)
    with reopen(folder) as chain:
        (line,) = chain.headers(height, height)
    with Index.open(folder / FILE, chain.id) as index:
        index.begin_after(line)
    assert found_in(folder)[1].rstrip("; ") == said
    (folder / FILE).unlink()
    with Index.open(folder / FILE, chain.id) as index:
        index.begin_after(replace(line, header=b"another"))
    assert "of another history" in found_in(folder)[1]


def test_a_base_that_is_gone_is_found_and_the_folder_left_alone(
    tmp_path: Path, sound: Path
) -> None:
    """
    Given a chain whose base is gone, whose log begins with block 5,
    when it is examined and opened,
    then both say that blocks before are missing and what to do, and nothing is changed.
    """
    folder = tmp_path / "chain"
    shutil.copytree(sound, folder)
    shutil.rmtree(folder / NAME)
    found, said = found_in(folder)
    with pytest.raises(StoreError) as refused:
        reopen(folder)

    assert found.exit_code != 0 and "log: " in said
    assert "base" in str(refused.value) and str(refused.value) in said
    assert found_in(folder) == (found, said)


def test_rows_are_not_said_to_mend_over_a_damaged_base(tmp_path: Path) -> None:
    """
    Given a pruned chain whose rows are gone and whose base has a damaged chunk,
    when it is examined,
    then the base is broken, and nobody says that the rows mend themselves.
    """
    folder = tmp_path / "chain"
    lay(folder)
    shutil.rmtree(folder / "state")
    first_chunk(folder / NAME)
    said = {one.check: (one.severity, one.text) for one in examine(folder).findings}

    assert said["base"][0] is Severity.BROKEN
    assert said["rows"] == (Severity.NOTE, "they can't be made again while the base is damaged")
