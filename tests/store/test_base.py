"""A log that goes on from a base: what opens, what is made of it, and what is given up."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.store.bases import LOCAL, lay_base
from tests.store.blocks import CHAIN, block, files_of, rows_after, status_of, transaction_id
from tongbao.store.base import base_heights
from tongbao.store.errors import DamagedLog, Pruned, StoreError, WrongChain
from tongbao.store.record import line_of
from tongbao.store.snapshot.errors import BadSnapshot
from tongbao.store.store import Store

END = b"\xff"
BLOCKS = 6
"""Blocks 0 to 5, each in a file of its own."""


def open_store(folder: Path, origin: str = "") -> Store:
    """The chain in a folder, whose files hold one block each."""
    return Store.open(folder, CHAIN, segment_bytes=1, origin=origin)


def make(folder: Path) -> None:
    """A closed chain without a base."""
    folder.mkdir(exist_ok=True)
    with open_store(folder) as store:
        for height in range(BLOCKS):
            store.append(block(height))


def check(store: Store, height: int, first: int, *, local: bool = True) -> None:
    """Everything up to a height is there, but for the bodies below `first`."""
    assert (store.height, store.last, store.first) == (height, line_of(block(height)), first)
    store.maintain(idle=True)
    assert list(store.scan(b"", END)) == rows_after(height) + (LOCAL if local else [])
    assert store.headers(0, height) == [line_of(block(at)) for at in range(height + 1)]
    for at in range(height + 1):
        assert store.status(transaction_id(at, 1)) == status_of(at, 1)
        if at < first:
            with pytest.raises(Pruned, match=f"begin with block {first}"):
                store.block(at)
        else:
            assert store.block(at) == block(at)
    with pytest.raises(LookupError):
        store.block(height + 1)


def goes_on(folder: Path, height: int, first: int, *, local: bool = True) -> None:
    """A folder opens with everything, takes a block, and opens again."""
    with open_store(folder) as store:
        check(store, height, first, local=local)
        store.append(block(height + 1))
        check(store, height + 1, first, local=local)
    with open_store(folder) as store:
        check(store, height + 1, store.first, local=local)


def test_a_base_alone_is_a_chain(tmp_path: Path) -> None:
    """
    Given a folder with nothing but a base of block 5,
    when it is opened,
    then rows, headers and outcomes are there, no body is, and block 6 follows in a first file.
    """
    lay_base(tmp_path, 5)
    goes_on(tmp_path, 5, 6)
    assert (tmp_path / "log" / "00000000.log").exists()


@pytest.mark.parametrize(("keep", "first"), [(0, 0), (2, 2), (5, 5), (6, 5), (None, 0), (99, 5)])
def test_files_go_that_have_no_body_to_keep(tmp_path: Path, keep: int | None, first: int) -> None:
    """
    Given a chain with a file for each block, and a base of its last block,
    when it is opened,
    then the files go whose blocks are below those to keep; the last one stays. None goes where
    nobody has said what to keep.
    """
    make(tmp_path)
    lay_base(tmp_path, 5, keep)
    goes_on(tmp_path, 5, first, local=False)


@pytest.mark.parametrize("lost", [("state",), ("headers",), ("state", "headers")])
def test_what_is_lost_is_made_of_the_base_and_the_log(
    tmp_path: Path, lost: tuple[str, ...]
) -> None:
    """
    Given a pruned chain whose base is three blocks old,
    when its rows, its copy of the headers or both are lost,
    then a start makes them again.
    """
    make(tmp_path)
    lay_base(tmp_path, 2, 3)
    with open_store(tmp_path) as store:
        check(store, 5, 3, local=False)
    for name in lost:
        path = tmp_path / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    goes_on(tmp_path, 5, 3, local="state" in lost)


def test_rows_from_before_the_log_are_made_anew(tmp_path: Path) -> None:
    """
    Given a pruned chain, and rows of a block whose successors' bodies are gone,
    when those rows are put back and the chain is opened,
    then they are made anew.
    """
    with open_store(tmp_path) as store:
        store.append(block(0))
    shutil.copytree(tmp_path / "state", tmp_path / "older")
    with open_store(tmp_path) as store:
        for height in range(1, BLOCKS):
            store.append(block(height))
    lay_base(tmp_path, 4, 4)
    open_store(tmp_path).close()
    shutil.rmtree(tmp_path / "state")
    (tmp_path / "older").rename(tmp_path / "state")
    goes_on(tmp_path, 5, 4)


def test_a_later_base_replaces_an_earlier_one(tmp_path: Path) -> None:
    """
    Given a chain with two bases,
    when it is opened,
    then the later one counts, and the earlier one is removed.
    """
    make(tmp_path)
    lay_base(tmp_path, 2, 0)
    lay_base(tmp_path, 4, 3)
    goes_on(tmp_path, 5, 3, local=False)
    assert base_heights(tmp_path) == [4]


def refused(folder: Path, kind: type[StoreError]) -> str:
    """What is said when a folder is refused, of which nothing has changed."""
    before = files_of(folder)
    with pytest.raises(StoreError) as error:
        open_store(folder)
    assert type(error.value) is kind
    assert files_of(folder) == before
    return str(error.value)


def test_a_base_that_can_not_be_right_is_refused(tmp_path: Path) -> None:
    """
    Given a base of another chain, under another height's name, without a manifest, or with a file
    that can't be read,
    when the chain is opened,
    then it is refused, and nothing changes; a base of the chain's origin is taken.
    """
    lay_base(tmp_path, 5, chain="other-01234567")
    assert "other-01234567" in refused(tmp_path, WrongChain)
    open_store(tmp_path, "other-01234567").close()
    for name in ("state", "headers"):
        shutil.rmtree(tmp_path / name, ignore_errors=True)
    (tmp_path / "headers").unlink(missing_ok=True)
    base = lay_base(tmp_path, 5, 6)
    base.rename(tmp_path / "base-0000000004")
    assert "of block 5" in refused(tmp_path, BadSnapshot)
    (tmp_path / "base-0000000004").rename(base)
    (base / "keep.json").write_text('{"first":"six"}')
    assert "keep.json" in refused(tmp_path, BadSnapshot)
    (base / "keep.json").unlink()
    (base / "manifest.json").rename(tmp_path / "away")
    assert "manifest.json" in refused(tmp_path, BadSnapshot)
    (tmp_path / "away").rename(base / "manifest.json")
    goes_on(tmp_path, 5, 6)


def test_a_log_that_does_not_reach_its_base_is_refused(tmp_path: Path) -> None:
    """
    Given a base of block 5, and a log that ends before it or begins too late,
    when the chain is opened,
    then it is refused: blocks are missing in between.
    """
    make(tmp_path)
    lay_base(tmp_path, 5, 2)
    for name in ("state", "headers"):
        path = tmp_path / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (tmp_path / "log" / "00000005.log").rename(tmp_path / "away")
    assert "ends before block 5" in refused(tmp_path, DamagedLog)
    (tmp_path / "away").rename(tmp_path / "log" / "00000005.log")
    for number in range(4):
        (tmp_path / "log" / f"{number:08d}.log").unlink()
    assert "begins with block 4" in refused(tmp_path, DamagedLog)
