"""A folder is looked at without a change, whoever has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.blocks import CHAIN, block, rows_after
from tests.store.folders import make, open_store
from tongbao.store.disk import RealDisk
from tongbao.store.errors import DamagedLog, FolderInUse
from tongbao.store.foreign import ForeignRows, RowsHead
from tongbao.store.lock import lock_folder
from tongbao.store.log import BlockLog
from tongbao.store.looking import kept_still, records_of
from tongbao.store.recovery import scan

SEGMENT_BYTES = 600
END = b"\xff"


def test_records_are_read_across_segments_from_any_height(tmp_path: Path) -> None:
    """
    Given a log of eight blocks in several segments,
    when its records are read from each height on after a scan,
    then they are the blocks, and none behind the last.
    """
    log = BlockLog(RealDisk(), tmp_path / "log", CHAIN, segment_bytes=SEGMENT_BYTES)
    for height in range(8):
        log.append(block(height, size=300))
    log.sync()
    log.close()
    found = scan(RealDisk(), tmp_path / "log", CHAIN, 8)
    assert len(found.segments) > 2
    for first in range(9):
        records = list(records_of(RealDisk(), found, first))
        assert records == [block(height, size=300) for height in range(first, 8)]


def test_a_block_that_changed_since_the_scan_is_damage(tmp_path: Path) -> None:
    """
    Given a log that was scanned, and a bit of block 2 that has flipped since,
    when its records are read,
    then those before it come, and then it is named.
    """
    folder = make(tmp_path / "chain", 4)
    found = scan(RealDisk(), folder / "log", CHAIN, 5)
    path = found.segments[0].path
    data = bytearray(path.read_bytes())
    data[found.places[2] + 60] ^= 1
    path.write_bytes(data)
    records = records_of(RealDisk(), found, 0)
    assert [next(records), next(records)] == [block(0), block(1)]
    with pytest.raises(DamagedLog, match="in block 2: it has changed since it was read"):
        next(records)


def test_a_folder_is_kept_still_or_its_process_is_named(tmp_path: Path) -> None:
    """
    Given a folder that was never opened, is open, and is closed again,
    when it is kept still each time, twice at once,
    then its process is named while it is open, else nobody can open it until the end.
    """
    with kept_still(tmp_path) as nobody:
        assert nobody == ""
    assert list(tmp_path.iterdir()) == []
    with open_store(tmp_path):
        owner = (tmp_path / "lock").read_text().strip()
        with kept_still(tmp_path) as first:
            assert first == owner
    with kept_still(tmp_path) as first, kept_still(tmp_path) as second:
        assert (first, second) == ("", "")
        with pytest.raises(FolderInUse):
            lock_folder(tmp_path)
    open_store(tmp_path).close()


def test_rows_that_nobody_writes_are_read_without_a_change(tmp_path: Path) -> None:
    """
    Given rows of a closed folder without LMDB's table of readers, as a copy may lack it,
    when they are read alone,
    then they say chain, format and height, all rows are there, and no file is made.
    """
    folder = make(tmp_path / "chain", 4) / "state"
    (folder / "lock.mdb").unlink()
    before = (folder / "data.mdb").read_bytes()
    with ForeignRows(folder, is_alone=True) as rows:
        assert rows.head() == RowsHead(CHAIN, "1", 4)
        assert list(rows.page(b"", END).rows) == rows_after(4)
        assert rows.readers() == []
    assert [path.name for path in folder.iterdir()] == ["data.mdb"]
    assert (folder / "data.mdb").read_bytes() == before
