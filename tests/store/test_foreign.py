"""What another process reads beside the one that has the folder: a copy of rows, a header."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.blocks import CHAIN, block, rows_after
from tests.store.folders import BLOCKS, make
from tongbao.store.errors import StoreError
from tongbao.store.foreign import ForeignRows, foreign_header
from tongbao.store.state import State


def test_a_copy_of_the_rows_is_a_state_of_their_height(tmp_path: Path) -> None:
    """
    Given a folder with rows,
    when they are copied into a file of another folder,
    then that opens as a state of the same height with the same rows.
    """
    folder = make(tmp_path / "chain", BLOCKS - 1)
    copied = tmp_path / "copied"
    copied.mkdir()
    with ForeignRows(folder / "state") as rows, (copied / "data.mdb").open("wb") as file:
        rows.copy_to(file.fileno())

    state = State(copied, CHAIN)
    assert state.height == BLOCKS - 1
    assert list(state.scan(b"", b"\xff")) == rows_after(BLOCKS - 1)
    state.close()


def test_a_header_is_found_in_its_copy_or_in_the_log(tmp_path: Path) -> None:
    """
    Given a folder, first with the copy of the headers, then without,
    when the header of each block is asked for, and that of one which there is not,
    then it is told, and the last is refused.
    """
    folder = make(tmp_path / "chain", BLOCKS - 1)
    wanted = [block(height).header for height in range(BLOCKS)]
    for _ in range(2):
        assert [foreign_header(folder, CHAIN, height) for height in range(BLOCKS)] == wanted
        for height in (-1, BLOCKS):
            with pytest.raises(StoreError, match="has no header of block"):
                foreign_header(folder, CHAIN, height)
        (folder / "headers").unlink(missing_ok=True)
