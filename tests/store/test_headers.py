"""The copy of the headers: read fast, cut or written anew where it does not fit the log."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.golden_file import check_golden
from tests.store.blocks import CHAIN, block, flip
from tests.store.faulty_disk import FaultyDisk
from tongbao.store.headers import HEAD_BYTES, Headers, write_head, write_line
from tongbao.store.log import BlockLog
from tongbao.store.record import HeaderLine, line_of

BLOCKS = 6
WANTED = [line_of(block(height)) for height in range(BLOCKS)]
LINE = len(write_line(WANTED[0]))
WHOLE = write_head(CHAIN) + b"".join(map(write_line, WANTED))


@pytest.fixture
def blocks(tmp_path: Path) -> BlockLog:
    """A log of six blocks."""
    made = BlockLog(FaultyDisk(), tmp_path / "log", CHAIN)
    for height in range(BLOCKS):
        made.append(block(height))
    made.sync()
    return made


def completed(folder: Path, blocks: BlockLog) -> tuple[int, list[HeaderLine]]:
    """How many lines were found good, and all lines once the file was completed."""
    headers = Headers(FaultyDisk(), folder / "headers", CHAIN)
    found = headers.count
    headers.complete(blocks)
    lines = headers.read(0, BLOCKS)
    headers.close()
    return found, lines


def test_the_bytes_of_the_copy_are_those_that_are_frozen(tmp_path: Path, blocks: BlockLog) -> None:
    """
    Given a log and no copy of its headers,
    when the copy is completed,
    then its bytes are head and lines, as frozen, and any range of lines is read.
    """
    headers = Headers(FaultyDisk(), tmp_path / "headers", CHAIN)
    headers.complete(blocks)
    ranges = [(first, last) for first in range(BLOCKS + 1) for last in range(-1, BLOCKS + 1)]
    assert [headers.read(*it) for it in ranges] == [WANTED[at : end + 1] for at, end in ranges]
    headers.close()
    assert (tmp_path / "headers").read_bytes() == WHOLE
    check_golden("block_record.json", "headers", {"two": WHOLE[: HEAD_BYTES + 2 * LINE].hex()})


def test_a_cut_or_changed_copy_is_completed_from_the_log(tmp_path: Path, blocks: BlockLog) -> None:
    """
    Given a copy of the headers that ends at any byte, or has any byte changed,
    when it is opened and completed,
    then the lines before the damage were taken over and the file is whole again.
    """
    path = tmp_path / "headers"
    for at in range(len(WHOLE)):
        good = max(0, (at - HEAD_BYTES)) // LINE
        path.write_bytes(WHOLE[:at])
        assert completed(tmp_path, blocks) == (good, WANTED)
        assert path.read_bytes() == WHOLE
        flip(path, at)
        assert completed(tmp_path, blocks) == (good, WANTED)
        assert path.read_bytes() == WHOLE


def test_a_copy_of_another_chain_or_history_is_written_anew(
    tmp_path: Path, blocks: BlockLog
) -> None:
    """
    Given the headers of another chain, or those of this chain from before it was begun again,
    when they are opened beside this log and completed,
    then the file has this log's headers.
    """
    path = tmp_path / "headers"
    path.write_bytes(write_head("other-01234567") + WHOLE[HEAD_BYTES:])
    assert completed(tmp_path, blocks) == (0, WANTED)
    other = [replace(line, header=b"header of another history") for line in WANTED[:4]]
    path.write_bytes(write_head(CHAIN) + b"".join(map(write_line, other)))
    assert completed(tmp_path, blocks) == (4, WANTED)
    assert path.read_bytes() == WHOLE


def test_a_copy_that_can_not_be_written_waits_for_the_next_start(
    tmp_path: Path, blocks: BlockLog
) -> None:
    """
    Given a full disk after ten more bytes,
    when headers are added,
    then nothing is raised, the lines before are read, and the next start completes the file.
    """
    disk = FaultyDisk()
    headers = Headers(disk, tmp_path / "headers", CHAIN)
    disk.room = HEAD_BYTES + 2 * LINE + 10
    headers.complete(blocks)
    assert (headers.count, headers.read(0, BLOCKS)) == (2, WANTED[:2])
    assert completed(tmp_path, blocks) == (2, WANTED)

    disk.failing = {"append_to": errno.EACCES}
    headers = Headers(disk, tmp_path / "headers", CHAIN)
    headers.complete(blocks)
    headers.add(block(BLOCKS))
    assert headers.count == BLOCKS
