"""An index is looked at without a change."""

from __future__ import annotations

import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from tests.index.test_accidents import fixed_records
from tongbao.index.history import Index
from tongbao.index.looking import Seen, look
from tongbao.store.errors import StoreError, WrongChain

CHAIN = "fixed-01234567"


def files_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file: when it changed, and its bytes."""
    return {
        path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in sorted(folder.iterdir())
    }


def test_an_index_says_where_it_ends_also_beside_its_writer_and_after_a_kill(
    tmp_path: Path,
) -> None:
    """
    Given an index with two blocks that is open, a copy as a kill leaves it, and the closed one,
    when each is looked at,
    then height and header are those of the last block, the copy has a journal, nothing changes.
    """
    live, killed = tmp_path / "live", tmp_path / "killed"
    live.mkdir()
    records = fixed_records(2)[:2]
    path = live / "index.sqlite"
    header = sha256(records[1].header).digest()
    with Index.open(path, CHAIN) as index:
        index.add(records)
        beside = look(path, CHAIN, is_alone=False)
        shutil.copytree(live, killed)
    for folder in (live, killed):
        before = files_of(folder)
        found = look(folder / "index.sqlite", CHAIN, is_alone=True)
        assert files_of(folder) == before
        assert found == (Seen(-1, b"", True) if folder is killed else beside)
    assert beside == Seen(1, header, False)


def test_an_index_that_can_not_be_used_is_told(tmp_path: Path) -> None:
    """
    Given an index of another chain, and a file that is none,
    when they are looked at,
    then the first is refused, and the second is for a node to make anew.
    """
    path = tmp_path / "index.sqlite"
    Index.open(path, "other-01234567").close()
    with pytest.raises(WrongChain, match="of the chain other-01234567"):
        look(path, CHAIN, is_alone=True)
    path.write_bytes(b"noise" * 1000)
    with pytest.raises(StoreError, match="makes it anew"):
        look(path, CHAIN, is_alone=True)
    assert path.read_bytes() == b"noise" * 1000
