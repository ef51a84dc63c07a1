"""A chain's folder as a whole: rows always equal the log, and nothing acknowledged is lost."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.store.blocks import block, files_of, rows_after, status_of, transaction_id
from tests.store.faulty_disk import FaultyDisk
from tests.store.folders import BLOCKS, END, Clock, check, make, open_store, opens_with
from tongbao.store.behind import BLOCKS_BEHIND, ROWS_BEHIND
from tongbao.store.errors import DiskFailed, DiskFull, StoreError, WrongChain
from tongbao.store.memory import MemoryStore
from tongbao.store.record import line_of
from tongbao.store.store import Store


@pytest.mark.parametrize("kind", ["disk", "memory"])
def test_every_store_tells_the_same_of_the_same_blocks(tmp_path: Path, kind: str) -> None:
    """
    Given an empty store, on disk or in memory,
    when blocks are appended and rows follow,
    then blocks, headers, rows and statuses are those of the blocks, at every height.
    """
    opened = MemoryStore() if kind == "memory" else open_store(tmp_path)
    with opened as store:
        check(store, -1)
        assert store.maintain(idle=True) is None
        for height in range(25):
            store.append(block(height))
            assert store.status(transaction_id(height)) == status_of(height)
            assert store.maintain(idle=True) == height
            assert store.maintain(idle=True) is None
            check(store, height)
        assert store.headers(-3, 1) == [line_of(block(0)), line_of(block(1))]
        assert store.headers(24, 24) == [line_of(block(24))]
        assert store.headers(5, 4) == store.headers(30, 40) == []
        for height in (-1, 25):
            with pytest.raises(LookupError):
                store.block(height)


@pytest.mark.parametrize("kind", ["disk", "memory"])
def test_a_block_that_no_store_can_keep_is_not_appended(tmp_path: Path, kind: str) -> None:
    """
    Given a store,
    when a block is appended with a key that LMDB does not take, or out of its turn,
    then an assertion fails, and nothing was written.
    """
    opened = MemoryStore() if kind == "memory" else open_store(tmp_path)
    with opened as store:
        store.append(block(0))
        store.maintain(idle=True)
        for wrong in (replace(block(1), rows=((bytes(512), b""),)), block(2), block(0)):
            with pytest.raises(AssertionError):
                store.append(wrong)
        check(store, 0)
        store.append(block(1))
        store.maintain(idle=True)
        check(store, 1)


def test_a_block_is_seen_before_its_rows_are(tmp_path: Path) -> None:
    """
    Given a store whose rows are at block 3,
    when block 4 is appended and no more,
    then block, header and status are told, and the rows are those of block 3.
    """
    make(tmp_path / "chain", 3)
    with open_store(tmp_path / "chain") as store:
        store.append(block(4))
        assert (store.height, store.last) == (4, line_of(block(4)))
        assert store.headers(4, 4) == [line_of(block(4))]
        assert store.status(transaction_id(4)) == status_of(4)
        assert list(store.scan(b"", END)) == rows_after(3)
        store.append(replace(block(5), outbox=((transaction_id(4), 1001),)))
        assert store.status(transaction_id(4)) == status_of(4)


def test_rows_follow_when_idle_or_after_blocks_rows_or_time(tmp_path: Path) -> None:
    """
    Given a busy store,
    when there are 10 blocks, 50,000 rows or 0.1 seconds since the first block that rows lack,
    then `maintain` brings rows up to the log and says so, and before that it does nothing.
    """
    clock = Clock()
    with open_store(tmp_path, clock=clock) as store:
        for height in range(BLOCKS_BEHIND):
            assert store.maintain(idle=False) is None
            store.append(block(height))
        assert store.maintain(idle=False) == 9

        store.append(block(10))
        clock.seconds += 0.05
        assert store.maintain(idle=False) is None
        clock.seconds += 0.06
        assert store.maintain(idle=False) == 10

        rows: tuple[tuple[bytes, bytes | None], ...]
        rows = tuple((at.to_bytes(4, "big"), b"") for at in range(ROWS_BEHIND - 3))
        store.append(replace(block(11), rows=rows))
        assert store.maintain(idle=False) is None
        store.append(block(12))
        assert store.maintain(idle=False) == 12

        clock.seconds += 60
        store.append(block(13))
        assert store.maintain(idle=False) is None
        assert store.maintain(idle=True) == 13


def test_a_killed_process_leaves_rows_behind_that_follow_at_the_start(tmp_path: Path) -> None:
    """
    Given folders of killed processes, with rows at the last block or at none,
    when they are opened,
    then rows are those of the log.
    """
    opens_with(make(tmp_path / "flushed", BLOCKS), BLOCKS)
    opens_with(make(tmp_path / "behind", BLOCKS, flushed=False), BLOCKS)


def test_a_full_disk_refuses_a_block_and_keeps_everything(tmp_path: Path) -> None:
    """
    Given a store on a disk with room for 100 more bytes,
    when a block is appended that needs more,
    then DiskFull is raised, the store tells what it told before, and goes on with room again.
    """
    disk = FaultyDisk()
    with open_store(tmp_path, disk) as store:
        store.append(block(0))
        store.maintain(idle=True)
        disk.room = 100
        with pytest.raises(DiskFull):
            store.append(block(1))
        disk.room = None
        check(store, 0)
        assert store.maintain(idle=True) is None
        store.append(block(1))
    opens_with(tmp_path, 1)


def test_a_failed_sync_ends_the_store_and_writes_nothing_more(tmp_path: Path) -> None:
    """
    Given a store with a block that rows lack,
    when the sync of the next block fails,
    then that block is not told, no later block is taken, closing leaves rows and headers as they
    are, and a new start has at least what was acknowledged.
    """
    disk = FaultyDisk()
    with open_store(tmp_path, disk) as store:
        store.append(block(0))
        store.maintain(idle=True)
        store.append(block(1))
        disk.failing = {"sync": errno.EIO}
        with pytest.raises(DiskFailed):
            store.append(block(2))
        disk.failing = {}
        assert (store.height, store.last) == (1, line_of(block(1)))
        with pytest.raises(DiskFailed):
            store.append(block(2))
        before = files_of(tmp_path)
    assert files_of(tmp_path) == before
    with open_store(tmp_path) as store:
        assert store.height in (1, 2)
        check(store, store.height)


def test_a_folder_that_can_not_be_written_has_a_clear_error(tmp_path: Path) -> None:
    """
    Given a folder where the file for the lock is a folder,
    when it is opened,
    then the error names the folder and says what to check.
    """
    (tmp_path / "lock").mkdir()
    with pytest.raises(StoreError, match=r"can't be opened .* check permissions") as error:
        open_store(tmp_path)
    assert error.value.exit_code == 74


def test_closing_twice_and_opening_after_a_refusal_both_work(tmp_path: Path) -> None:
    """
    Given a folder that was refused for another chain,
    when it is opened for its own, and closed twice,
    then nothing is locked and nothing is lost.
    """
    folder = make(tmp_path / "chain", BLOCKS)
    for _ in range(3):
        with pytest.raises(WrongChain):
            Store.open(folder, "other-01234567")
    store = open_store(folder)
    store.append(block(BLOCKS + 1))
    store.close()
    store.close()
    opens_with(folder, BLOCKS + 1)
