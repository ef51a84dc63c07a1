"""Opening a folder in which something is gone, older, newer or garbage."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.store.blocks import CHAIN, block, files_of, flip
from tests.store.folders import BLOCKS, check, make, open_store, opens_with, refused
from tongbao.store.errors import StoreError, WrongChain, WrongVersion
from tongbao.store.frames import SEGMENT_HEAD, read_segment_head, write_segment_head
from tongbao.store.state import State
from tongbao.store.store import Store


def restored(folder: Path, other: Path, name: str) -> None:
    """Put a folder or file of another copy in the place of this one's."""
    path, source = folder / name, other / name
    if path.is_dir():
        shutil.rmtree(path)
        shutil.copytree(source, path)
    else:
        shutil.copyfile(source, path)


@pytest.mark.parametrize(
    "damage",
    [
        shutil.rmtree,
        lambda state: (state / "data.mdb").unlink(),
        lambda state: (state / "data.mdb").write_bytes(b""),
        lambda state: (state / "data.mdb").write_bytes(b"garbage" * 10_000),
        lambda state: (state / "data.mdb").write_bytes((state / "data.mdb").read_bytes()[:9_000]),
        lambda state: (state / "lock.mdb").write_bytes(b"garbage"),
        lambda state: state.rename(state.with_name("state.new")),
    ],
    ids=["deleted", "no data", "empty", "garbage", "cut", "lock", "half made"],
)
def test_rows_that_are_gone_or_garbage_are_rebuilt(
    tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    """
    Given a folder,
    when its rows are deleted, cut, overwritten, or were being made when the process ended,
    then they are rebuilt from the log, and nothing half made is left.
    """
    folder = make(tmp_path / "chain", BLOCKS)
    damage(folder / "state")
    opens_with(folder, BLOCKS)
    assert sorted(path.name for path in folder.iterdir()) == ["headers", "lock", "log", "state"]


def test_older_rows_are_brought_up_and_newer_ones_are_evidence(tmp_path: Path) -> None:
    """
    Given copies of one chain at blocks 3 and 8,
    when rows or headers of 3 stand beside the log of 8, and those of 8 beside the log of 3,
    then the first are brought up; the second are refused: blocks are missing from that log.
    """
    for name in ("state", "headers"):
        older, newer = make(tmp_path / f"{name} 3", 3), make(tmp_path / f"{name} 8", BLOCKS)
        spare = shutil.copytree(older, tmp_path / f"{name} spare")
        restored(older, newer, name)
        assert "remove those instead" in refused(older)
        restored(newer, spare, name)
        opens_with(newer, BLOCKS)


def test_rows_of_another_chain_or_format_are_rebuilt_if_there_is_a_log(tmp_path: Path) -> None:
    """
    Given rows of another chain,
    when they stand beside this chain's log, and beside none,
    then they are rebuilt, and refused.
    """
    folder = make(tmp_path / "chain", BLOCKS)
    State.create(folder / "state", "other-01234567").close()
    opens_with(folder, BLOCKS)
    State.create(folder / "state", "other-01234567").close()
    shutil.rmtree(folder / "log")
    (folder / "headers").unlink()
    assert "is of chain other-01234567" in refused(folder, WrongChain)
    (folder / "state" / "data.mdb").write_bytes(b"garbage")
    assert "is damaged" in refused(folder, StoreError)


def test_a_log_that_is_gone_or_short_is_refused_if_anything_knows_better(tmp_path: Path) -> None:
    """
    Given a folder whose log is deleted, or lost its last bytes, blocks or all but its head,
    when rows or headers are left to say so,
    then it is refused and nothing is changed.
    """
    made = make(tmp_path / "chain", BLOCKS)
    for witness in ("state", "headers"):
        folder = shutil.copytree(made, tmp_path / witness)
        path = folder / "log" / "00000000.log"
        whole = path.read_bytes()
        if witness == "state":
            (folder / "headers").unlink()
        else:
            shutil.rmtree(folder / "state")
        for end in (len(whole) - 1, len(whole) - 400, SEGMENT_HEAD, 10, 0):
            path.write_bytes(whole[:end])
            assert "blocks up to 8 were acknowledged" in refused(folder), end
        path.unlink()
        assert "blocks up to 8 were acknowledged" in refused(folder)
        path.write_bytes(whole)
        opens_with(folder, BLOCKS)


def test_a_changed_byte_in_the_log_is_refused_with_rows_and_without(tmp_path: Path) -> None:
    """
    Given a folder,
    when a byte of an older block is changed,
    then it is refused with exit code 74 and nothing is changed, with its rows and without.
    """
    folder = make(tmp_path / "chain", BLOCKS)
    flip(folder / "log" / "00000000.log", 700)
    text = refused(folder)
    assert text.startswith(f"{folder}/log/00000000.log is damaged at byte ")
    shutil.rmtree(folder / "state")
    assert refused(folder) == text
    assert sorted(path.name for path in folder.iterdir()) == ["headers", "lock", "log"]


def test_a_log_of_another_chain_or_format_changes_nothing(tmp_path: Path) -> None:
    """
    Given a folder,
    when it is opened for another chain, or its log was written in another format,
    then it is refused, and its rows are left as they are.
    """
    folder = make(tmp_path / "chain", BLOCKS)
    before = files_of(folder)
    with pytest.raises(WrongChain, match="log is of chain fixed-01234567"):
        Store.open(folder, "other-01234567")
    assert files_of(folder) == before
    path = folder / "log" / "00000000.log"
    whole = path.read_bytes()
    head = read_segment_head(whole)
    assert head is not None
    path.write_bytes(write_segment_head(head._replace(format=9)) + whole[SEGMENT_HEAD:])
    refused(folder, WrongVersion)


def test_a_headers_copy_that_is_gone_or_garbage_is_made_again(tmp_path: Path) -> None:
    """
    Given a folder,
    when the copy of its headers is deleted or overwritten,
    then it is made again from the log; what is changed while the store is open comes from the log.
    """
    folder = make(tmp_path / "chain", BLOCKS)
    path = folder / "headers"
    whole = path.read_bytes()
    path.write_bytes(b"garbage")
    with open_store(folder) as store:
        check(store, BLOCKS)
        assert path.read_bytes() == whole
        flip(path, len(whole) // 2)
        check(store, BLOCKS)
    path.unlink()
    opens_with(folder, BLOCKS)


def test_rows_are_rebuilt_on_demand(tmp_path: Path) -> None:
    """
    Given rows with a value that the log does not say,
    when they are rebuilt,
    then they are those of the log.
    """
    folder = make(tmp_path / "chain", BLOCKS)
    state = State(folder / "state", CHAIN)
    wrong = replace(block(BLOCKS + 1), rows=((b"shared", b"wrong"),))
    state.flush([wrong])
    state.close()
    with open_store(make(tmp_path / "longer", BLOCKS + 1)) as store:
        restored(folder, tmp_path / "longer", "log")
    with open_store(folder) as store:
        assert store.get(b"shared") == b"wrong"
        store.rebuild()
        check(store, BLOCKS + 1)
        store.append(block(BLOCKS + 2))
    opens_with(folder, BLOCKS + 2)
