"""LMDB with readers beside it: those that stay, that are killed, that are too many; and its map."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import lmdb
import pytest

from tests.store import foreign_reader
from tests.store.blocks import CHAIN
from tongbao.store.errors import DiskFull
from tongbao.store.foreign import LONGEST_S, ForeignRows, Page
from tongbao.store.record import BlockRecord
from tongbao.store.state import DATABASES, READERS, State
from tongbao.store.store import Store

END = b"\xff"
WIDE = 1_000
ROWS = 200
SMALL_MAP = 1 << 20


def record(height: int, rows: int = ROWS) -> BlockRecord:
    """A block that writes the same rows anew, a kilobyte each."""
    value = b"%08d" % height + bytes(WIDE - 8)
    written = tuple((b"row %06d" % place, value) for place in range(rows))
    return BlockRecord(height, height, b"header", (), (), written, ())


@contextmanager
def reader(kind: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that reads rows."""
    with subprocess.Popen(
        [sys.executable, str(foreign_reader.__file__), kind, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    """The next line that a process says."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def flush_until_full(state: State) -> None:
    """Write the same rows in one block after the other."""
    while state.height < 1_000:
        state.flush([record(state.height + 1)])


def end_input(process: subprocess.Popen[str]) -> None:
    """Let a reader end."""
    assert process.stdin is not None
    process.stdin.close()


def map_of(folder: Path) -> int:
    """How many bytes LMDB has used of its map."""
    with lmdb.open(str(folder), max_dbs=DATABASES, readonly=True) as environment:
        page = environment.stat()["psize"]
        return int(page * (environment.info()["last_pgno"] + 1))


def test_a_reader_that_stays_neither_stops_a_writer_nor_grows_the_map_without_end(
    tmp_path: Path,
) -> None:
    """
    Given another process that holds one read transaction,
    when blocks write the same rows again and again until the map has its limit,
    then each is taken until then; the next is refused for want of space by the reader's process id,
    nothing of it is there, and it is taken once the reader has gone, without a larger map.
    """
    folder = tmp_path / "state"
    State.create(folder, CHAIN, SMALL_MAP).close()
    state = State(folder, CHAIN, SMALL_MAP)
    state.map_limit_bytes = 8 * SMALL_MAP
    state.flush([record(0)])
    with reader("stays", folder) as staying:
        assert line(staying) == str(ROWS)
        with pytest.raises(DiskFull, match=f"read by process {staying.pid}"):
            flush_until_full(state)
        height = state.height
        assert 8 < height < 100
        assert list(state.scan(b"", END)) == list(record(height).rows)
        end_input(staying)
        assert line(staying) == str(ROWS)
        assert staying.wait(60) == 0
    for later in range(height + 1, height + 51):
        state.flush([record(later)])
    assert list(state.scan(b"", END)) == list(record(height + 50).rows)
    state.close()
    assert map_of(folder) <= 8 * SMALL_MAP


def test_a_store_takes_blocks_again_when_the_reader_has_gone(tmp_path: Path) -> None:
    """
    Given a store whose map is at its limit because another process stays in a transaction,
    when a block is to be kept, the reader ends, and the store looks for room,
    then the block is refused, nothing waits in memory beyond the first, and it is taken then.
    """
    with Store.open(tmp_path, CHAIN, map_bytes=SMALL_MAP) as store:
        store._state.map_limit_bytes = 2 * SMALL_MAP
        with reader("stays", tmp_path / "state") as staying:
            assert line(staying) == "0"
            while store.lack is None:
                store.append(record(store.height + 1))
                store.maintain(idle=True)
            height = store.height
            with pytest.raises(DiskFull):
                store.append(record(height + 1))
            assert (store.height, store.has_room()) == (height, False)
        assert store.maintain(idle=True) == height
        assert store.has_room()
        store.append(record(height + 1))
        store.maintain(idle=True)
        assert list(store.scan(b"", END)) == list(record(height + 1).rows)


def test_pages_of_another_process_are_whole_while_the_map_grows(tmp_path: Path) -> None:
    """
    Given a process that reads all rows, page by page, with its own map of the file,
    when the writer adds rows and its map grows to many times its size,
    then each reading that begins between two blocks has exactly the rows of its height.
    """
    folder = tmp_path / "state"
    State.create(folder, CHAIN, SMALL_MAP).close()
    state = State(folder, CHAIN, SMALL_MAP)
    state.flush([record(0, 10)])
    with reader("pages", folder) as reading:
        assert reading.stdin is not None
        for height in range(1, 20):
            state.flush([record(height, 10 + 400 * height)])
            reading.stdin.write("\n")
            reading.stdin.flush()
            assert line(reading) == f"{height} {10 + 400 * height}"
        end_input(reading)
    state.close()
    assert map_of(folder) > 7 * SMALL_MAP


def test_what_readers_leave_that_were_killed_is_used_again(tmp_path: Path) -> None:
    """
    Given readers that are killed with signal 9 inside a transaction, one after the other,
    when the writer goes on between them for many times the rows' size,
    then the map stays small: what they held is found free.
    """
    folder = tmp_path / "state"
    State.create(folder, CHAIN, SMALL_MAP).close()
    state = State(folder, CHAIN, SMALL_MAP)
    state.map_limit_bytes = 2 * SMALL_MAP
    height = 0
    state.flush([record(0)])
    for _ in range(4):
        with reader("stays", folder) as killed:
            assert line(killed) == str(ROWS)
        for _ in range(20):
            height += 1
            state.flush([record(height)])
    assert list(state.scan(b"", END)) == list(record(height).rows)
    state.close()


def test_a_table_of_readers_that_is_full_is_told_and_nothing_is_made_anew(tmp_path: Path) -> None:
    """
    Given as many read transactions as LMDB has places for,
    when the store is opened, another reader comes, and then the transactions end,
    then both are refused by name, the rows are left as they are, and the store opens again.
    """
    with Store.open(tmp_path, CHAIN) as store:
        store.append(record(0))
    state = tmp_path / "state"
    before = (state / "data.mdb").stat().st_ino
    with ExitStack() as held:
        environment = held.enter_context(
            lmdb.open(str(state), max_dbs=DATABASES, readonly=True, max_spare_txns=0)
        )
        for _ in range(READERS):
            held.enter_context(environment.begin())
        foreign = _in_another_process(tmp_path)
        assert foreign == ["FolderInUse 75", "FolderInUse 75"]
    assert (state / "data.mdb").stat().st_ino == before
    with Store.open(tmp_path, CHAIN) as store:
        assert list(store.scan(b"", END)) == list(record(0).rows)


OPENING = """
import sys
from pathlib import Path
from tongbao.store.errors import StoreError
from tongbao.store.foreign import ForeignRows
from tongbao.store.store import Store
folder = Path(sys.argv[1])
for attempt in (
    lambda: Store.open(folder, sys.argv[2]),
    lambda: ForeignRows(folder / "state").get(b"row 000000"),
):
    try:
        attempt()
    except StoreError as error:
        print(type(error).__name__, error.exit_code)
"""


def _in_another_process(folder: Path) -> list[str]:
    """What opening and reading come to: LMDB lets a process have an environment once."""
    ended = subprocess.run(
        [sys.executable, "-c", OPENING, str(folder), CHAIN],
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout.splitlines()


def test_a_block_that_is_larger_than_the_map_is_flushed_at_once(tmp_path: Path) -> None:
    """
    Given rows with a map of a megabyte,
    when one block writes forty megabytes,
    then all of its rows are there.
    """
    folder = tmp_path / "state"
    state = State.create(folder, CHAIN, SMALL_MAP)
    huge = record(0, 40_000)
    state.flush([huge])
    assert list(state.scan(b"", END)) == list(huge.rows)
    state.close()


def test_a_read_ends_after_five_seconds_with_a_page_that_follows(tmp_path: Path) -> None:
    """
    Given rows, and a clock by which each row takes two seconds to read,
    when another process asks for all of them,
    then its transaction ends after three rows, and the pages together are all of them once.
    """
    folder = tmp_path / "state"
    state = State.create(folder, CHAIN, SMALL_MAP)
    state.flush([record(0, 10)])
    state.close()
    ticks = iter(range(0, 1_000, 2))
    with ForeignRows(folder, clock=lambda: float(next(ticks))) as rows:
        pages: list[Page] = [rows.page(b"", END)]
        while (following := pages[-1].following) is not None:
            pages.append(rows.page(following, END))
    assert max(len(page.rows) for page in pages) == LONGEST_S // 2 + 1
    assert [row for page in pages for row in page.rows] == list(record(0, 10).rows)
