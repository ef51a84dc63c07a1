"""The block log: what it keeps, and what it does when the disk fails it."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.store.blocks import CHAIN, block, files_of, flip
from tests.store.faulty_disk import FaultyDisk
from tongbao.store.disk import RealDisk
from tongbao.store.errors import DamagedLog, DiskFailed, DiskFull
from tongbao.store.frames import SEGMENT_HEAD, read_frame, write_frame
from tongbao.store.log import BlockLog
from tongbao.store.record import encode

SMALL = 1_000
SALT = FaultyDisk().salt()


def keep(blocks: BlockLog, *heights: int) -> None:
    """Append blocks and make each durable."""
    for height in heights:
        blocks.append(block(height))
        blocks.sync()


def open_log(folder: Path, disk: FaultyDisk | None = None, size: int = SMALL) -> BlockLog:
    """The log in a folder, on a disk that works unless one is given."""
    return BlockLog(disk or FaultyDisk(), folder / "log", CHAIN, segment_bytes=size)


@pytest.mark.parametrize("size", [SEGMENT_HEAD, SMALL, 1 << 20])
def test_blocks_are_read_as_they_were_written(tmp_path: Path, size: int) -> None:
    """
    Given a log whose segments hold one block, four, or all,
    when twenty blocks are appended, read, and read again after each new opening,
    then they are the same, one by one and in order from any height on.
    """
    wanted = [block(height) for height in range(20)]
    for begin in range(0, 20, 4):
        blocks = open_log(tmp_path, size=size)
        assert blocks.height == begin - 1
        keep(blocks, *range(begin, begin + 4))
        assert [blocks.read(height) for height in range(begin + 4)] == wanted[: begin + 4]
        blocks.close()
    blocks = open_log(tmp_path, size=size)
    assert [list(blocks.records(first)) for first in range(21)] == [
        wanted[first:] for first in range(21)
    ]
    with pytest.raises(LookupError):
        blocks.read(20)
    with pytest.raises(LookupError):
        blocks.read(-1)
    blocks.close()


def test_the_real_disk_gives_each_segment_a_salt_of_its_own(tmp_path: Path) -> None:
    """
    Given the operating system's disk,
    when two segments are written and opened again,
    then their salts differ and every block is read.
    """
    for heights in ((0, 1), (2, 3)):
        blocks = BlockLog(RealDisk(), tmp_path / "log", CHAIN, segment_bytes=SEGMENT_HEAD)
        keep(blocks, *heights)
        assert list(blocks.records(0)) == [block(height) for height in range(heights[-1] + 1)]
        blocks.close()
    heads = [data[56:72] for data in files_of(tmp_path).values()]
    assert len(set(heads)) == len(heads) == 4


def test_each_record_names_what_was_synced_before_it(tmp_path: Path) -> None:
    """
    Given a log that is synced after the second and the fourth block,
    when its file is read,
    then each frame names the blocks that were synced when it was written, to the byte.
    """
    blocks = open_log(tmp_path, size=1 << 20)
    for height in range(5):
        blocks.append(block(height))
        if height in (1, 3):
            blocks.sync()
    blocks.close()
    frames = b"".join(
        write_frame(SALT, height, synced, encode(block(height)))
        for height, synced in enumerate((0, 0, 2, 2, 4))
    )
    assert (tmp_path / "log" / "00000000.log").read_bytes()[SEGMENT_HEAD:] == frames


def test_unsynced_blocks_may_all_be_torn(tmp_path: Path) -> None:
    """
    Given three blocks of which only the first was synced,
    when the second is damaged and the third is whole,
    then both are cut: nobody was told of them.
    """
    blocks = open_log(tmp_path, size=1 << 20)
    keep(blocks, 0)
    blocks.append(block(1))
    blocks.append(block(2))
    blocks.close()
    path = tmp_path / "log" / "00000000.log"
    first = read_frame(SALT, path.read_bytes(), SEGMENT_HEAD)
    assert first is not None
    flip(path, first.end)
    blocks = open_log(tmp_path, size=1 << 20)
    assert list(blocks.records(0)) == [block(0)]
    blocks.close()


def test_a_new_segment_is_durable_before_a_block_is_in_it(tmp_path: Path) -> None:
    """
    Given an empty folder,
    when two blocks begin two segments,
    then head, folder and, the first time, the folder above are synced before the block is written.
    """
    disk = FaultyDisk()
    blocks = open_log(tmp_path, disk, size=SEGMENT_HEAD)
    blocks.append(block(0))
    begin = ["append_to", "write", "sync", "sync_folder", "log"]
    assert disk.done == [*begin, "sync_folder", tmp_path.name, "write"]
    disk.done.clear()
    blocks.append(block(1))
    assert disk.done == ["sync", *begin, "write"]
    blocks.close()


def test_a_block_changed_behind_the_logs_back_is_not_given_out(tmp_path: Path) -> None:
    """
    Given an open log,
    when a byte of a block is changed in its file,
    then reading that block raises, and its neighbours are read.
    """
    blocks = open_log(tmp_path, size=1 << 20)
    keep(blocks, 0, 1, 2)
    flip(tmp_path / "log" / "00000000.log", SEGMENT_HEAD + 100)
    with pytest.raises(DamagedLog, match="in block 0: it has changed since"):
        blocks.read(0)
    assert list(blocks.records(1)) == [block(1), block(2)]
    blocks.close()


def test_a_full_disk_takes_nothing_and_loses_nothing(tmp_path: Path) -> None:
    """
    Given a log on a disk with room for a number of bytes, in the same or in a new segment,
    when the next block needs more,
    then DiskFull is raised, the files are as before, and with room again the log goes on.
    """
    disk = FaultyDisk()
    blocks = open_log(tmp_path, disk)
    keep(blocks, 0)
    for height in range(1, 6):
        before = files_of(tmp_path)
        for room in (0, 1, SEGMENT_HEAD - 1, 200):
            disk.room = room
            with pytest.raises(DiskFull, match="make room, then try again"):
                keep(blocks, height)
            disk.room = None
            assert (blocks.height, blocks.failed) == (height - 1, False)
            kept = files_of(tmp_path)
            heads = {name: data for name, data in kept.items() if name not in before}
            assert {name: kept[name] for name in before} == before
            assert all(len(data) == SEGMENT_HEAD for data in heads.values())
        keep(blocks, height)
    blocks.close()
    again = open_log(tmp_path)
    assert list(again.records(0)) == [block(height) for height in range(6)]
    again.close()


def test_no_room_for_a_new_file_is_a_full_disk_too(tmp_path: Path) -> None:
    """
    Given a disk that takes no new name,
    when the first block begins a segment,
    then DiskFull is raised, and the log goes on as soon as it can.
    """
    disk = FaultyDisk()
    blocks = open_log(tmp_path, disk)
    disk.failing = {"append_to": errno.ENOSPC}
    with pytest.raises(DiskFull):
        keep(blocks, 0)
    disk.failing = {}
    keep(blocks, 0)
    assert blocks.read(0) == block(0)
    blocks.close()


CALLS: dict[str, Callable[[BlockLog], object]] = {
    "append": lambda blocks: blocks.append(block(1)),
    "sync": lambda blocks: blocks.sync(),
    "read": lambda blocks: blocks.read(0),
    "records": lambda blocks: list(blocks.records(0)),
}


@pytest.mark.parametrize(
    ("failing", "room"),
    [
        ({"sync": errno.EIO}, None),
        ({"sync": errno.ENOSPC}, None),
        ({"write": errno.EIO}, None),
        ({"truncate": errno.EIO}, 10),
    ],
    ids=["sync", "sync without space", "write", "truncate"],
)
def test_after_a_failure_no_call_goes_on(
    tmp_path: Path, failing: dict[str, int], room: int | None
) -> None:
    """
    Given a log whose disk fails a sync, a write, or the taking back of a write,
    when a block is appended, and afterwards the disk works again,
    then DiskFailed is raised then and by every later call; a new opening has what was durable.
    """
    disk = FaultyDisk()
    blocks = open_log(tmp_path, disk, size=1 << 20)
    keep(blocks, 0)
    disk.failing, disk.room = failing, room
    with pytest.raises(DiskFailed, match="start again") as first:
        keep(blocks, 1)
    disk.failing, disk.room = {}, None
    assert blocks.failed
    for call in CALLS.values():
        with pytest.raises(DiskFailed) as later:
            call(blocks)
        assert str(later.value) == str(first.value)
    blocks.close()
    again = open_log(tmp_path, size=1 << 20)
    assert list(again.records(0))[:1] == [block(0)]
    again.close()


@pytest.mark.parametrize(
    ("operation", "room"),
    [("sync", None), ("sync_folder", None), ("write", None), ("append_to", None), ("remove", 10)],
)
def test_a_segment_that_can_not_be_begun_safely_ends_the_log(
    tmp_path: Path, operation: str, room: int | None
) -> None:
    """
    Given a log whose next block begins a segment,
    when the new file can't be made, written, synced, named or taken away,
    then DiskFailed is raised, and a new opening has every block that was durable.
    """
    disk = FaultyDisk()
    blocks = open_log(tmp_path, disk, size=SEGMENT_HEAD)
    keep(blocks, 0, 1)
    disk.failing, disk.room = {operation: errno.EIO}, room
    with pytest.raises(DiskFailed):
        keep(blocks, 2)
    assert blocks.failed
    blocks.close()
    again = open_log(tmp_path)
    assert list(again.records(0)) == [block(0), block(1)]
    keep(again, 2)
    again.close()
