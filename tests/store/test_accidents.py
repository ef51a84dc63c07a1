"""Accidents with real processes and real disks: killed while writing, full, limited."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.small_mount import play
from tests.store import blocks, small_disk, writer
from tests.store.blocks import CHAIN, block, rows_after
from tongbao.store.record import BlockRecord
from tongbao.store.store import Store

ROUNDS = 6
SIZE = 300
WIDE_BLOCKS = 20


def wide_block(height: int) -> BlockRecord:
    """A block with one row of 20 kB that stays."""
    return replace(block(height), rows=((b"%02d" % height, bytes(20_000)),))


def acknowledged(folder: Path, lines: int) -> int:
    """The last height that a writer said was durable before it was killed."""
    with subprocess.Popen(
        [sys.executable, str(writer.__file__), str(folder)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(lines):
            assert process.stdout.readline()
        process.kill()
        said = process.stdout.read().splitlines()
    # The last line may have been cut by the kill: only whole lines were said.
    return int(said[-2]) if len(said) > 1 else -1


def test_a_killed_process_loses_no_block_that_it_acknowledged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Given a process that appends blocks over several segments and says when each is durable,
    when it is killed again and again at a different place each time, and the folder is opened,
    then every block it spoke of is there, rows equal the log, and LMDB never had to be rebuilt.
    """
    caplog.set_level(logging.WARNING, "tongbao.store")
    height = -1
    for round_number in range(ROUNDS):
        said = acknowledged(tmp_path, 20 + 17 * round_number)
        with Store.open(tmp_path, CHAIN) as store:
            assert store.height >= max(said, height + 20 + 17 * round_number)
            height = store.height
            for at in range(height + 1):
                assert store.block(at) == block(at, SIZE)
            assert list(store.scan(b"", b"\xff")) == rows_after(height, SIZE)
    assert len(list((tmp_path / "log").iterdir())) > 1
    assert [it.message for it in caplog.records if "rebuilt" in it.message] == []


@pytest.mark.needs("unshare", "mount")
def test_a_real_disk_that_is_full_loses_nothing(tmp_path: Path) -> None:
    """
    Given a file system of 8 MB that only one process sees,
    when a store fills it, for the log, for the rows, and at the start, and then gets room,
    then it goes on each time, with every block and every row.
    """
    play(small_disk, str(tmp_path))


LIMITED = f"""
import resource, sys
from pathlib import Path
sys.path.insert(0, {str(Path(blocks.__file__).parents[2])!r})
from tests.store.test_accidents import wide_block
from tests.store.blocks import CHAIN
from tongbao.store.errors import DiskFailed
from tongbao.store.record import BlockRecord
from tongbao.store.store import Store
store = Store.open(Path(sys.argv[1]), CHAIN, segment_bytes=1_000)
for height in range({WIDE_BLOCKS}):
    store.append(wide_block(height))
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    store.maintain(idle=True)
except DiskFailed as error:
    print(error)
"""
"""Rows that can't be written although there is space, since no file may have more than 200 kB."""


def test_rows_that_can_not_be_written_end_the_process_and_not_the_chain(tmp_path: Path) -> None:
    """
    Given a process whose files may not grow any more, with blocks that its rows lack,
    when rows are to follow,
    then DiskFailed is raised, and a new start has every block and brings the rows up.
    """
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert "what was acknowledged is in the log" in ended.stdout, ended.stdout + ended.stderr
    wanted = [wide_block(height) for height in range(WIDE_BLOCKS)]
    with Store.open(tmp_path, CHAIN) as store:
        assert [store.block(height) for height in range(WIDE_BLOCKS)] == wanted
        assert list(store.scan(b"", b"\xff")) == [it for record in wanted for it in record.rows]
