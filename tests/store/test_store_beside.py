"""Blocks and rows are read beside the process that writes them, as far as they are durable."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.store.blocks import CHAIN, block, rows_after, status_of, transaction_id
from tests.store.folders import BLOCKS, check, make
from tongbao.store.record import line_of
from tongbao.store.store_beside import StoreBeside

END = b"\xff"


class Writer:
    """A process that appends blocks to a folder when it is told to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Talk to it."""
        self._process = process

    def do(self, what: str) -> int:
        """Have it `append` a block, `flush` the rows or `grow` the map; its height after that."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def writing(folder: Path) -> Iterator[Writer]:
    """A writer of a new folder, until the `with` statement ends."""
    command = [sys.executable, "-m", "tests.store.told_writer", str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Writer(process)
        finally:
            process.kill()


def test_a_closed_folder_is_read_as_its_store_would(tmp_path: Path) -> None:
    """Given a folder that nobody has open, when it is read beside, then all is as in its store."""
    folder = make(tmp_path / "chain", BLOCKS - 1)
    with StoreBeside(folder, CHAIN) as store, store.at_once():
        check(store, BLOCKS - 1)


def test_a_folder_without_the_copy_of_headers_has_them_in_its_log(tmp_path: Path) -> None:
    """Given a folder without the file `headers`, when headers are asked for, then they are told."""
    folder = make(tmp_path / "chain", BLOCKS - 1)
    (folder / "headers").unlink()
    with StoreBeside(folder, CHAIN) as store:
        assert store.headers(2, 4) == [line_of(block(height)) for height in (2, 3, 4)]


def test_blocks_are_read_as_soon_as_they_are_told_and_rows_once_they_follow(tmp_path: Path) -> None:
    """Given a writer with files of one block each, when it appends blocks and has the rows follow
    later, then blocks and outcomes are those that were told, rows those of the last flush.
    """
    folder = tmp_path / "chain"
    with writing(folder) as writer:
        assert writer.do("append") == 0
        assert writer.do("flush") == 0
        with StoreBeside(folder, CHAIN) as store:
            for height in range(1, 4):
                writer.do("append")
                with pytest.raises(LookupError):
                    store.block(height)
                store.tell(height)
                assert store.block(height) == block(height)
                assert store.status(transaction_id(height)) == status_of(height)
                assert store.headers(height, height) == [line_of(block(height))]
            with store.at_once():
                assert store.height == 0
                assert list(store.scan(b"", END)) == rows_after(0)
            writer.do("flush")
            with store.at_once():
                check(store, 3)


def test_a_snapshot_stays_of_one_height(tmp_path: Path) -> None:
    """Given a snapshot under way, when the writer flushes more blocks, then the snapshot still has
    the rows of before, and the next one those after.
    """
    folder = tmp_path / "chain"
    with writing(folder) as writer:
        writer.do("append")
        writer.do("flush")
        with StoreBeside(folder, CHAIN) as store:
            with store.at_once():
                before = list(store.scan(b"", END))
                writer.do("append")
                writer.do("flush")
                assert list(store.scan(b"", END)) == before == rows_after(0)
                assert store.height == 0
            with store.at_once():
                check(store, 1)


def test_what_is_durable_is_seen_without_being_told(tmp_path: Path) -> None:
    """Given blocks of which nobody tells, when the log is looked at, then those are known of which
    a later frame or file says that they were synced.
    """
    folder = tmp_path / "chain"
    with writing(folder) as writer:
        writer.do("append")
        writer.do("flush")
        with StoreBeside(folder, CHAIN) as store:
            assert store.look() == 0
            for height in range(1, 5):
                writer.do("append")
                assert store.look() == height - 1
                assert store.block(height - 1) == block(height - 1)
            writer.do("flush")
            assert store.look() == 4


def test_a_map_that_grows_is_taken_over(tmp_path: Path) -> None:
    """Given rows that outgrow the map which a reader knows, when it reads on, then it reads all."""
    folder = tmp_path / "chain"
    with writing(folder) as writer:
        writer.do("append")
        writer.do("flush")
        with StoreBeside(folder, CHAIN) as store:
            height = writer.do("grow")
            with store.at_once():
                assert store.height == height
                assert store.get(b"shared") == b"%d" % height


def test_rows_that_were_made_anew_are_noticed(tmp_path: Path) -> None:
    """Given a reader, when the folder `state/` is made anew, then the reader knows."""
    folder = make(tmp_path / "chain", 2)
    with StoreBeside(folder, CHAIN) as store:
        before = store.rows.is_replaced
        (folder / "state").rename(folder / "state.old")
        during = store.rows.is_replaced
        make(tmp_path / "other", 2)
        (tmp_path / "other" / "state").rename(folder / "state")
        assert (before, during, store.rows.is_replaced) == (False, True, True)


def test_rows_that_do_not_follow_are_read_out_of_the_log(tmp_path: Path) -> None:
    """Given blocks that are durable while the rows do not follow, when they are taken in, then all
    is read as after the last of them, also once the rows have followed a part of the way.
    """
    folder = tmp_path / "chain"
    with writing(folder) as writer:
        writer.do("append")
        writer.do("flush")
        with StoreBeside(folder, CHAIN) as store:
            for _ in range(4):
                writer.do("append")
            assert store.take_in() == 3  # nothing says yet that the last one is durable
            with store.at_once():
                check(store, 3)
            writer.do("flush")
            with store.at_once():
                check(store, 4)
            writer.do("append")
            assert store.take_in() == 4
            with store.at_once():
                check(store, 4)
