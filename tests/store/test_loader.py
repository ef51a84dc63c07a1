"""Large states: read by two processes that may die of a bad page, the node never."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from tests.store.blocks import CHAIN, block
from tongbao.kernel.trie import Trie
from tongbao.store.errors import StoreError
from tongbao.store.loader import load
from tongbao.store.record import BlockRecord
from tongbao.store.state import State
from tongbao.store.store import Store

TABLES = (b"\0\1\0\1", b"\0\1\0\2")
INDEX = b"\0\1\x80\1"
ROWS = 3_000
PAGE = 4_096


def row(table: bytes, at: int) -> tuple[bytes, bytes]:
    """A made-up row."""
    return table + at.to_bytes(4, "big"), b"value %d" % at


def rows_of(height: int) -> tuple[tuple[bytes, bytes | None], ...]:
    """Block 0 writes rows of two tables and entries of an index; later ones change and remove."""
    if height == 0:
        return tuple(sorted(row(table, at) for table in (*TABLES, INDEX) for at in range(ROWS)))
    changed = row(TABLES[0], height)[0], b"changed"
    return tuple(sorted((changed, (row(TABLES[1], height)[0], None))))


def record(height: int) -> BlockRecord:
    """A block with those rows."""
    return replace(block(height), rows=rows_of(height))


def wanted(height: int) -> Trie:
    """The trie after the blocks up to a height, made in one go."""
    rows = {key: value for at in range(height + 1) for key, value in rows_of(at)}
    return Trie.load(
        (sha256(key).digest(), sha256(value).digest())
        for key, value in rows.items()
        if value is not None and key[:4] in TABLES
    )


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed state after block 0."""
    folder = tmp_path_factory.mktemp("rows") / "state"
    made = State.create(folder, CHAIN)
    made.flush([record(0)])
    made.close()
    return folder


def opened(folder: Path) -> Store:
    """The store of a folder, opened the way of large ones; time stands still."""
    return Store.open(folder, CHAIN, clock=lambda: 0.0, tables=TABLES, large_bytes=1)


def test_two_processes_make_the_trie_that_one_would(state: Path) -> None:
    """
    Given rows of two tables, and index entries, which are not hashed,
    when two processes read them,
    then their parts make the same trie: root, number of rows, and what follows a change.
    """
    trie, one = Trie.of_parts(load(state, TABLES)), wanted(0)
    assert (trie.root, len(trie), trie.depth) == (one.root, len(one), one.depth)
    change = {sha256(b"new").digest(): bytes(32), sha256(row(TABLES[0], 5)[0]).digest(): None}
    trie.update(change)
    one.update(change)
    assert trie.root == one.root


def bad_pages(random: Random) -> Iterator[bytes]:
    """What may stand in the place of a page."""
    yield bytes(PAGE)
    yield b"\xff" * PAGE
    yield random.randbytes(PAGE)


def test_a_page_of_garbage_ends_only_the_process_that_reads_it(state: Path, tmp_path: Path) -> None:
    """
    Given a state, one page of which is overwritten, every seventh in turn,
    when it is loaded,
    then it is called damaged, or the page was of no account and every row is there.
    """
    random, refused = Random(7), 0
    pages = (state / "data.mdb").stat().st_size // PAGE
    for number in range(0, pages, 7):
        for garbage in bad_pages(random):
            shutil.rmtree(tmp_path / "copy", ignore_errors=True)
            shutil.copytree(state, tmp_path / "copy")
            with (tmp_path / "copy" / "data.mdb").open("r+b") as file:
                file.seek(number * PAGE)
                file.write(garbage)
            try:
                parts = load(tmp_path / "copy", TABLES)
            except StoreError:
                refused += 1
            else:
                assert Trie.of_parts(parts).root == wanted(0).root
    assert refused >= pages // 7


def test_rows_behind_the_log_are_caught_up_with_in_the_trie_too(tmp_path: Path) -> None:
    """
    Given a folder whose rows stand at block 0, and whose log has three more,
    when it is opened,
    then the trie is that of the last block, and is handed over once.
    """
    (tmp_path / "live").mkdir()
    with opened(tmp_path / "live") as live:
        live.append(record(0))
        live.maintain(idle=True)
        for height in range(1, 4):
            live.append(record(height))
        shutil.copytree(tmp_path / "live", tmp_path / "killed")
    with opened(tmp_path / "killed") as store:
        trie = store.take_trie()
        assert trie is not None
        assert (trie.root, len(trie)) == (wanted(3).root, len(wanted(3)))
        assert store.take_trie() is None


def test_a_large_state_that_is_damaged_is_rebuilt_with_its_trie(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Given a closed folder whose state has a page of garbage that rows depend on,
    when it is opened,
    then the rows are rebuilt from the log, which is said, and are all there.
    """
    caplog.set_level(logging.WARNING, "tongbao.store")
    (tmp_path / "chain").mkdir()
    with opened(tmp_path / "chain") as store:
        store.append(record(0))
    with (tmp_path / "chain" / "state" / "data.mdb").open("r+b") as file:
        file.seek(2 * PAGE)
        file.write(b"\xff" * PAGE * 60)
    with opened(tmp_path / "chain") as store:
        assert [text for text in caplog.messages if "It is rebuilt now" in text]
        assert [store.get(row(table, 9)[0]) for table in TABLES] == [b"value 9"] * 2
        store.rebuild()
        trie = store.take_trie()
        assert trie is not None
        assert trie.root == wanted(0).root
