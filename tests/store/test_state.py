"""Rows in LMDB: a sorted dict that survives, grows, and says when it is damaged."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import lmdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.store.blocks import CHAIN, block, files_of, rows_after, status_of, transaction_id
from tongbao.store.errors import StoreError, WrongChain, WrongVersion
from tongbao.store.memory import MemoryStore
from tongbao.store.record import BlockRecord
from tongbao.store.state import State

END = b"\xff" * 8
KEYS = st.binary(min_size=1, max_size=3)
DIFFERENCES = st.dictionaries(KEYS, st.none() | st.binary(max_size=5), max_size=12)
BATCHES = st.lists(st.lists(DIFFERENCES, min_size=1, max_size=4), min_size=1, max_size=4)


def filled(folder: Path, last: int, map_bytes: int = 1 << 20) -> State:
    """A state with the rows of the blocks up to `last`, flushed five at a time."""
    state = State.create(folder, CHAIN, map_bytes)
    for first in range(0, last + 1, 5):
        state.flush([block(height, 800) for height in range(first, min(first + 5, last + 1))])
    return state


@settings(max_examples=40)
@given(BATCHES, st.lists(st.tuples(st.binary(max_size=3), st.binary(max_size=3)), max_size=6))
def test_rows_and_range_reads_are_those_of_a_sorted_dict(
    batches: list[list[dict[bytes, bytes | None]]], ranges: list[tuple[bytes, bytes]]
) -> None:
    """
    Given random differences of rows in blocks, several of them flushed at once,
    when rows are read one by one and by ranges, from LMDB and from the store in memory,
    then both give what a plain sorted dict gives.
    """
    rows: dict[bytes, bytes] = {}
    memory = MemoryStore()
    with TemporaryDirectory() as folder:
        state = State.create(Path(folder) / "state", CHAIN, 1 << 20)
        for batch in batches:
            records = []
            for difference in batch:
                height = memory.height + 1
                record = replace(block(height), rows=tuple(sorted(difference.items())))
                records.append(record)
                memory.append(record)
                for key, value in difference.items():
                    rows.pop(key, None)
                    if value is not None:
                        rows[key] = value
            state.flush(records)
            assert memory.maintain(idle=False) == state.height == memory.height
            for start, stop in [(b"", END), *ranges]:
                wanted = [it for it in sorted(rows.items()) if start <= it[0] < stop]
                assert list(state.scan(start, stop)) == wanted
                assert list(memory.scan(start, stop)) == wanted
            for key in {key for difference in batch for key in difference}:
                assert state.get(key) == memory.get(key) == rows.get(key)
        state.close()


def test_the_map_grows_when_it_is_full(tmp_path: Path) -> None:
    """
    Given a map of 64 KB,
    when rows and statuses of 400 blocks are flushed, with some megabytes,
    then the map has grown, every row and status is there, also after opening it again.
    """
    small = 1 << 16
    filled(tmp_path / "state", 399, small).close()
    assert (tmp_path / "state" / "data.mdb").stat().st_size > small
    state = State(tmp_path / "state", CHAIN, small)
    assert state.height == 399
    assert list(state.scan(b"", END)) == rows_after(399, 800)
    found = [state.status(transaction_id(height)) for height in range(401)]
    assert found == [*map(status_of, range(400)), None]
    big = replace(block(400), rows=((b"big", bytes(1 << 20)),))
    state.flush([big])
    assert (state.height, state.get(b"big")) == (400, bytes(1 << 20))
    state.close()


def test_the_first_status_of_an_id_stays(tmp_path: Path) -> None:
    """
    Given an id that three blocks decide, two of them in one flush,
    when its status is asked for,
    then it is that of the first block.
    """
    state = State.create(tmp_path / "state", CHAIN)
    again = ((transaction_id(0), 0),)
    state.flush([block(0), replace(block(1), outbox=again)])
    state.flush([replace(block(2), outbox=again)])
    assert state.status(transaction_id(0)) == status_of(0)
    state.close()


def test_a_scan_that_outlives_a_flush_is_our_bug(tmp_path: Path) -> None:
    """
    Given a scan that is half way,
    when the state is flushed and the scan goes on,
    then an assertion fails instead of rows of another height being given.
    """
    state = filled(tmp_path / "state", 3)
    scan = state.scan(b"", END)
    assert next(scan) == rows_after(3, 800)[0]
    state.flush([block(4, 800)])
    with pytest.raises(AssertionError, match="does not outlive"):
        next(scan)
    assert list(state.scan(b"", END)) == rows_after(4, 800)
    state.close()


PAGE = 4096
NOISE = Random(1).randbytes(1 << 22)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: bytes(len(data)),
        lambda data: NOISE[: len(data)],
        lambda data: data[: 2 * PAGE],
        lambda data: data[: len(data) // 2],
        lambda data: data[: 2 * PAGE] + NOISE[2 * PAGE : len(data)],
        lambda data: data[: 2 * PAGE] + bytes(len(data) - 2 * PAGE),
    ],
    ids=["empty", "zeros", "noise", "metas", "half", "noisy pages", "zero pages"],
)
def test_damaged_files_are_noticed_and_left_alone(tmp_path: Path, damage: object) -> None:
    """
    Given a state whose file is empty, cut, or has other bytes in it,
    when it is opened,
    then the error says what to do, the process lives, and nothing is changed.
    """
    assert callable(damage)
    filled(tmp_path / "state", 30).close()
    path = tmp_path / "state" / "data.mdb"
    path.write_bytes(damage(path.read_bytes()))
    before = files_of(tmp_path)
    with pytest.raises(StoreError, match="it is rebuilt from the log"):
        State(tmp_path / "state", CHAIN)
    assert files_of(tmp_path) == before


def test_noise_in_any_page_is_noticed_or_in_a_page_that_is_free(tmp_path: Path) -> None:
    """
    Given a state,
    when any one page of its file is overwritten with noise,
    then it is refused, unless every row is still there because the page held none.
    """
    filled(tmp_path / "state", 100).close()
    path = tmp_path / "state" / "data.mdb"
    whole = path.read_bytes()
    refused = 0
    for at in range(2 * PAGE, len(whole), PAGE):
        path.write_bytes(whole[:at] + NOISE[at : at + PAGE] + whole[at + PAGE :])
        try:
            state = State(tmp_path / "state", CHAIN)
        except StoreError:
            refused += 1
            continue
        assert list(state.scan(b"", END)) == rows_after(100, 800)
        state.close()
    assert refused >= 3


def test_rows_of_another_chain_or_version_are_refused(tmp_path: Path) -> None:
    """
    Given the rows of a chain,
    when they are opened for another chain, or were written in another format, or are no rows,
    then each has its own error.
    """
    filled(tmp_path / "state", 3).close()
    with pytest.raises(WrongChain, match="is of chain fixed-01234567, not other"):
        State(tmp_path / "state", "other-01234567")
    with lmdb.open(str(tmp_path / "state"), max_dbs=3) as environment:
        meta = environment.open_db(b"meta")
        with environment.begin(write=True) as txn:
            txn.put(b"format", b"2", db=meta)
    with pytest.raises(WrongVersion):
        State(tmp_path / "state", CHAIN)
    with lmdb.open(str(tmp_path / "other"), max_dbs=3) as environment:
        environment.open_db(b"something")
    with pytest.raises(StoreError, match="is damaged"):
        State(tmp_path / "other", CHAIN)


READER = """
import sys, lmdb
environment = lmdb.open(sys.argv[1], max_dbs=3)
reader = environment.begin() if sys.argv[2] == "reads" else None
print("open", flush=True)
sys.stdin.read()
"""


@contextmanager
def opened_elsewhere(folder: Path, what: str) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that has the rows open, and is killed at the end."""
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(folder), what],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        yield process
        process.kill()


def test_a_reader_that_was_killed_keeps_no_pages(tmp_path: Path) -> None:
    """
    Given rows that another process has open, and a reader that was killed while it read,
    when the rows are opened, and flushed again and again with the same key,
    then the reader's place was given free: the file stops to grow.
    """
    filled(tmp_path / "state", 20).close()
    with opened_elsewhere(tmp_path / "state", "rests"):
        with opened_elsewhere(tmp_path / "state", "reads"):
            pass
        state = State(tmp_path / "state", CHAIN)
        sizes = []
        for height in range(21, 121):
            rows: tuple[tuple[bytes, bytes | None], ...] = ((b"shared", bytes(3_000)),)
            state.flush([BlockRecord(height, 0, b"", (), (), rows, ())])
            sizes.append((tmp_path / "state" / "data.mdb").stat().st_size)
        assert sizes[9:] == [sizes[9]] * 91
        state.close()


def test_a_reader_in_another_process_never_stops_a_flush(tmp_path: Path) -> None:
    """
    Given another process that reads,
    when rows are flushed past the size of the map, and the reader is killed,
    then the flushes succeed with and without it.
    """
    state = filled(tmp_path / "state", 4, 1 << 16)
    with opened_elsewhere(tmp_path / "state", "reads"):
        for height in range(5, 60):
            state.flush([block(height, 8_000)])
    for height in range(60, 120):
        state.flush([block(height, 8_000)])
    assert state.height == 119
    state.close()
