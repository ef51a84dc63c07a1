"""A chain's folder as a whole: rows always equal the log, and nothing acknowledged is lost."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.store.blocks import (
    CHAIN,
    block,
    files_of,
    flip,
    rows_after,
    status_of,
    transaction_id,
)
from tests.store.faulty_disk import FaultyDisk
from tongbao.store.disk import Disk
from tongbao.store.errors import (
    DamagedLog,
    DiskFailed,
    DiskFull,
    StoreError,
    WrongChain,
    WrongVersion,
)
from tongbao.store.frames import SEGMENT_HEAD, read_segment_head, write_segment_head
from tongbao.store.headers import line_of
from tongbao.store.interface import AnyStore
from tongbao.store.memory import MemoryStore
from tongbao.store.state import State
from tongbao.store.store import BLOCKS_BEHIND, ROWS_BEHIND, Store

END = b"\xff"
BLOCKS = 8


class Clock:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        """Begin at some time."""
        self.seconds = 1_000.0

    def __call__(self) -> float:
        """The time."""
        return self.seconds


def open_store(folder: Path, disk: Disk | None = None, clock: Clock | None = None) -> Store:
    """A store whose time stands still, so that rows follow only as a test wants it."""
    return Store.open(folder, CHAIN, disk, clock=clock or Clock(), map_bytes=1 << 20)


def make(folder: Path, last: int, *, flushed: bool = True) -> Path:
    """A folder as a killed process leaves it, with rows up to `last`, or with none."""
    live = folder.with_name(folder.name + ".live")
    live.mkdir()
    with open_store(live) as store:
        for height in range(last + 1):
            store.append(block(height))
            if flushed:
                store.maintain(idle=True)
        shutil.copytree(live, folder)
    return folder


def check(store: AnyStore, height: int) -> None:
    """Everything a store tells is what the blocks up to a height say."""
    blocks = [block(at) for at in range(height + 1)]
    assert (store.height, store.last) == (height, blocks[-1] if blocks else None)
    assert [store.block(at) for at in range(height + 1)] == blocks
    assert store.headers(0, height + 5) == [line_of(record) for record in blocks]
    assert list(store.scan(b"", END)) == rows_after(height)
    assert [store.get(key) for key, _ in rows_after(height)] == [it[1] for it in rows_after(height)]
    for at in range(height + 1):
        found = [store.status(transaction_id(at, index)) for index in (0, 1, 2)]
        assert found == [status_of(at), status_of(at, 1), None]


def opens_with(folder: Path, height: int) -> None:
    """The folder opens with every block up to a height, goes on, and opens again."""
    with open_store(folder) as store:
        check(store, height)
        store.append(block(height + 1))
    with open_store(folder) as store:
        check(store, height + 1)


def refused(folder: Path, kind: type[StoreError] = DamagedLog) -> str:
    """What is said when the folder is refused; nothing in it has changed."""
    before = files_of(folder)
    with pytest.raises(StoreError) as error:
        open_store(folder)
    assert type(error.value) is kind
    assert files_of(folder) == before
    return str(error.value)


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
        assert (store.height, store.last) == (4, block(4))
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
        assert (store.height, store.last) == (1, block(1))
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
