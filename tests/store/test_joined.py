"""A folder that joined its network at a block: what it has, what it never had, and its own end."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest

from tests.store.bases import LOCAL, lay_base
from tests.store.blocks import CHAIN, block, files_of, rows_after, status_of, transaction_id
from tongbao.store.base import JOINED, base_name
from tongbao.store.foreign import foreign_header, foreign_headers
from tongbao.store.record import line_of
from tongbao.store.snapshot.errors import BadSnapshot
from tongbao.store.state import State
from tongbao.store.store import Store

END = b"\xff"
JOINED_AT = 5


def check(store: Store, height: int, begins: int = JOINED_AT) -> None:
    """Rows, the headers from the beginning on, and the outcomes behind it."""
    assert (store.height, store.last, store.begins) == (height, line_of(block(height)), begins)
    store.maintain(idle=True)
    assert list(store.scan(b"", END)) == rows_after(height) + LOCAL
    lines = [line_of(block(at)) for at in range(begins, height + 1)]
    assert (store.headers(0, height), store.headers(begins, height)) == (lines, lines)
    assert store.headers(0, begins - 1) == []
    for at in range(height + 1):
        known = status_of(at, 1) if at > begins else None
        assert store.status(transaction_id(at, 1)) == known


def put(made: Path, target: Path) -> None:
    """Give a base its place."""
    made.rename(target)


@pytest.mark.parametrize("lost", [(), ("state",), ("headers",), ("state", "headers")])
def test_a_joined_folder_goes_on_from_its_block(tmp_path: Path, lost: tuple[str, ...]) -> None:
    """
    Given a base of block 5 that says that the history begins there,
    when the folder is opened, takes blocks, loses what can be made again, and opens again,
    then rows are those of the last block, and headers and outcomes are there from block 5 on.
    """
    lay_base(tmp_path, JOINED_AT, begins=JOINED_AT)
    with Store.open(tmp_path, CHAIN) as store:
        check(store, JOINED_AT)
        store.append(block(6))
        store.append(block(7))
        check(store, 7)
    for name in lost:
        path = tmp_path / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    with Store.open(tmp_path, CHAIN) as store:
        check(store, 7)
        store.append(block(8))
    assert foreign_header(tmp_path, CHAIN, 6) == block(6).header
    (tmp_path / "headers").unlink()
    lines = list(foreign_headers(tmp_path, CHAIN, 8))
    assert lines == [line_of(block(at)) for at in range(JOINED_AT, 9)]


def test_a_later_base_of_a_joined_folder_begins_where_it_began(tmp_path: Path) -> None:
    """
    Given a joined folder with two blocks of its own, and a base of the last that is pruned to,
    when it is opened without its rows and headers,
    then headers and outcomes begin where it joined.
    """
    lay_base(tmp_path, JOINED_AT, begins=JOINED_AT)
    with Store.open(tmp_path, CHAIN, segment_bytes=1) as store:
        for height in (6, 7):
            store.append(block(height))
    lay_base(tmp_path, 7, keep_from=8, begins=JOINED_AT)
    shutil.rmtree(tmp_path / "state")
    (tmp_path / "headers").unlink()
    with Store.open(tmp_path, CHAIN, segment_bytes=1) as store:
        check(store, 7)
        assert store.first == 7


def test_an_open_store_takes_a_base_when_it_has_no_block(tmp_path: Path) -> None:
    """
    Given an open store without blocks, and one that stands on a base that it joined at,
    when each is given a base by `reopen`,
    then it goes on from there, under the same lock, and closes as ever.
    """
    (tmp_path / "chain").mkdir()
    for begins in (JOINED_AT, JOINED_AT + 2):
        with Store.open(tmp_path / "chain", CHAIN) as store:
            made = lay_base(tmp_path / "made", begins, begins=begins)
            store.reopen(partial(put, made, tmp_path / "chain" / base_name(begins)))
            check(store, begins, begins)
    with Store.open(tmp_path / "chain", CHAIN) as store:
        store.append(block(begins + 1))
        check(store, begins + 1, begins)


def test_a_base_that_joined_later_than_its_block_is_refused(tmp_path: Path) -> None:
    """
    Given a base of block 5 that says block 6, or nothing that can be read,
    when the folder is opened,
    then it is refused, and nothing changes.
    """
    base = lay_base(tmp_path, JOINED_AT, begins=JOINED_AT)
    before = files_of(tmp_path)
    for text in ('{"height":6}', '{"height":-1}', "{}", "\xff"):
        (base / JOINED).write_text(text, "latin-1")
        with pytest.raises(BadSnapshot, match=JOINED):
            Store.open(tmp_path, CHAIN)
    (base / JOINED).write_text('{"height":5}')
    assert files_of(tmp_path).keys() == before.keys()


def test_a_base_without_old_headers_must_say_so(tmp_path: Path) -> None:
    """
    Given a base whose headers begin with its own block, and no note that it joined there,
    when the folder is opened,
    then it is refused: headers are missing.
    """
    base = lay_base(tmp_path, JOINED_AT, begins=JOINED_AT)
    (base / JOINED).unlink()
    with pytest.raises(BadSnapshot, match="every header of blocks 0 to 5"):
        Store.open(tmp_path, CHAIN)


def test_a_pinned_moment_is_copied_while_blocks_go_on(tmp_path: Path) -> None:
    """
    Given the rows of block 1 pinned,
    when block 2 is kept and its rows follow, and then the pin is copied,
    then the copy has the rows of block 1, and the map may grow once it is done.
    """
    (tmp_path / "chain").mkdir()
    with Store.open(tmp_path / "chain", CHAIN) as store:
        for height in range(2):
            store.append(block(height))
        store.maintain(idle=True)
        pin = store.pin()
        store.append(block(2))
        store.maintain(idle=True)
        (tmp_path / "copy").mkdir()
        with (tmp_path / "copy" / "data.mdb").open("wb") as file:
            pin.copy_to(file.fileno())
        pin.close()
        assert list(store.scan(b"", END)) == rows_after(2)
    state = State(tmp_path / "copy", CHAIN)
    assert (state.height, list(state.scan(b"", END))) == (1, rows_after(1))
    state.close()
