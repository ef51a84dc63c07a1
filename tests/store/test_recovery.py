"""Opening a log after an accident: a torn tail is cut, corruption is left as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.blocks import CHAIN, block, files_of, flip
from tests.store.faulty_disk import FaultyDisk
from tongbao.store.errors import DamagedLog, StoreError, WrongChain, WrongVersion
from tongbao.store.frames import SEGMENT_HEAD, SegmentHead, read_segment_head, write_segment_head
from tongbao.store.log import BlockLog
from tongbao.store.recovery import placed, scan

BLOCKS = 5
SMALL = 1_000
"""Bytes of a segment that holds four blocks."""


def open_log(folder: Path, known: int = 0, chain: str = CHAIN, size: int = 1 << 20) -> BlockLog:
    """The log in a folder."""
    return BlockLog(FaultyDisk(), folder, chain, known_blocks=known, segment_bytes=size)


def make_log(folder: Path, size: int = 1 << 20) -> list[int]:
    """Write a log of five blocks; where each begins in its segment."""
    blocks = open_log(folder, size=size)
    for height in range(BLOCKS):
        blocks.append(block(height))
        blocks.sync()
    blocks.close()
    return [placed(at)[1] for at in scan(FaultyDisk(), folder, CHAIN, 0).places]


def refused(folder: Path, known: int = 0, kind: type[StoreError] = DamagedLog) -> str:
    """What the error says with which the log is refused; no byte of it has changed."""
    before = files_of(folder)
    with pytest.raises(kind) as error:
        open_log(folder, known)
    assert files_of(folder) == before
    return str(error.value)


def recovered(folder: Path, known: int = 0) -> list[int]:
    """The heights that a log has after it was opened, every record whole, and appendable."""
    blocks = open_log(folder, known)
    heights = []
    for record in blocks.records(0):
        assert record == block(record.height)
        heights.append(record.height)
    blocks.append(block(len(heights)))
    blocks.sync()
    assert blocks.read(len(heights)) == block(len(heights))
    blocks.close()
    return heights


def test_a_torn_last_block_is_cut_at_every_byte(tmp_path: Path) -> None:
    """
    Given a log whose last block nobody else knows of,
    when the file ends at any byte of that block,
    then the blocks before it are there, the log goes on, and the rest of the file is gone.
    """
    offsets = make_log(tmp_path / "log")
    path = tmp_path / "log" / "00000000.log"
    whole = path.read_bytes()
    for end in range(offsets[-1], len(whole)):
        path.write_bytes(whole[:end])
        assert recovered(tmp_path / "log") == [0, 1, 2, 3], end
        assert path.read_bytes() == whole, end


def test_a_torn_last_block_is_cut_whatever_bit_is_wrong(tmp_path: Path) -> None:
    """
    Given a log whose last block nobody else knows of,
    when any byte of that block is changed, or zeros follow as after a lost write,
    then the block is cut off.
    """
    offsets = make_log(tmp_path / "log")
    path = tmp_path / "log" / "00000000.log"
    whole = path.read_bytes()
    for at in range(offsets[-1], len(whole)):
        flip(path, at)
        assert recovered(tmp_path / "log") == [0, 1, 2, 3], at
        path.write_bytes(whole)
    path.write_bytes(whole[: offsets[-1]] + bytes(len(whole) - offsets[-1]))
    assert recovered(tmp_path / "log") == [0, 1, 2, 3]


def test_the_same_damage_is_corruption_when_the_block_is_known(tmp_path: Path) -> None:
    """
    Given a log whose last block the rows or the headers know,
    when the file ends inside of that block, or before it, or a bit of it is changed,
    then the log is refused with file, byte, block and advice, and nothing is changed.
    """
    offsets = make_log(tmp_path / "log")
    path = tmp_path / "log" / "00000000.log"
    whole = path.read_bytes()
    for end in range(offsets[-1] + 1, len(whole), 7):
        path.write_bytes(whole[:end])
        text = refused(tmp_path / "log", known=BLOCKS)
        assert f"{path} is damaged at byte {offsets[-1]}, in block 4" in text
        assert "Nothing was changed. Restore" in text
    path.write_bytes(whole[: offsets[-1]])
    assert "ends before block 4" in refused(tmp_path / "log", known=BLOCKS)
    path.write_bytes(whole)
    flip(path, len(whole) - 1)
    assert "in block 4" in refused(tmp_path / "log", known=BLOCKS)


def test_a_changed_byte_in_an_older_block_is_corruption(tmp_path: Path) -> None:
    """
    Given a log that only itself is left to speak of,
    when any byte before the last block is changed,
    then the log is refused and nothing is changed: a later block names it as synced.
    """
    offsets = make_log(tmp_path / "log")
    path = tmp_path / "log" / "00000000.log"
    whole = path.read_bytes()
    for at in range(offsets[-1]):
        flip(path, at)
        text = refused(tmp_path / "log")
        height = max((place for place, start in enumerate(offsets) if start <= at), default=0)
        assert f"in block {height}" in text, at
        path.write_bytes(whole)
    assert recovered(tmp_path / "log", known=BLOCKS) == [0, 1, 2, 3, 4]


def test_damage_in_any_segment_but_the_last_is_corruption(tmp_path: Path) -> None:
    """
    Given a log of two segments,
    when the first is shorter by any number of bytes, longer, or missing,
    then the log is refused, even where the blocks that are left name nothing as synced.
    """
    make_log(tmp_path / "log", size=SMALL)
    first, second = (tmp_path / "log" / f"0000000{number}.log" for number in range(2))
    assert sorted((tmp_path / "log").iterdir()) == [first, second]
    whole = first.read_bytes()
    second.write_bytes(second.read_bytes()[:SEGMENT_HEAD])
    for end in range(len(whole)):
        first.write_bytes(whole[:end])
        refused(tmp_path / "log")
    first.write_bytes(whole + b"more")
    assert f"{first} is damaged at byte {len(whole)}, in block 4" in refused(tmp_path / "log")
    first.unlink()
    assert "00000000.log is missing" in refused(tmp_path / "log")


def test_a_segment_with_a_torn_head_never_held_a_block(tmp_path: Path) -> None:
    """
    Given a log of two segments, and a third of which only a part of the head was written,
    when the log is opened,
    then the third is removed and its name is used again by the next block that needs one.
    """
    make_log(tmp_path / "log", size=SMALL)
    third = tmp_path / "log" / "00000002.log"
    head = write_segment_head(SegmentHead(1, CHAIN, BLOCKS, bytes(16)))
    for data in (*(head[:end] for end in range(SEGMENT_HEAD)), bytes(SEGMENT_HEAD)):
        third.write_bytes(data)
        blocks = open_log(tmp_path / "log", known=BLOCKS)
        assert (blocks.height, third.exists()) == (4, False)
        blocks.close()
    third.write_bytes(bytes(SEGMENT_HEAD + 1))
    assert f"{third} is damaged at byte 0" in refused(tmp_path / "log")


def test_a_block_that_stands_in_the_file_twice_is_cut(tmp_path: Path) -> None:
    """
    Given a log whose last frame follows itself once more,
    when it is opened,
    then the second copy is cut: it is whole, but it is not the next block.
    """
    offsets = make_log(tmp_path / "log")
    path = tmp_path / "log" / "00000000.log"
    whole = path.read_bytes()
    path.write_bytes(whole + whole[offsets[-1] :])
    assert recovered(tmp_path / "log", known=BLOCKS) == [0, 1, 2, 3, 4]


def test_a_log_of_another_chain_or_format_is_refused(tmp_path: Path) -> None:
    """
    Given a log,
    when it is opened for another chain, or was written in another format,
    then the error says so, has an exit code of its own, and nothing is changed.
    """
    make_log(tmp_path / "log")
    path = tmp_path / "log" / "00000000.log"
    before = files_of(tmp_path)
    with pytest.raises(WrongChain, match="is of chain fixed-01234567, not other-01234567"):
        open_log(tmp_path / "log", chain="other-01234567")
    assert files_of(tmp_path) == before
    whole = path.read_bytes()
    head = read_segment_head(whole)
    assert head is not None
    path.write_bytes(write_segment_head(head._replace(format=2)) + whole[SEGMENT_HEAD:])
    assert "has format 2" in refused(tmp_path / "log", kind=WrongVersion)
    codes = {WrongChain.exit_code, WrongVersion.exit_code, DamagedLog.exit_code}
    assert codes == {65, 76, 74}


def test_segments_in_the_wrong_order_are_corruption(tmp_path: Path) -> None:
    """
    Given a log of two segments,
    when the second stands in the place of the first,
    then the log is refused.
    """
    make_log(tmp_path / "log", size=SMALL)
    (tmp_path / "log" / "00000001.log").replace(tmp_path / "log" / "00000000.log")
    assert "the file begins with block 4" in refused(tmp_path / "log")
