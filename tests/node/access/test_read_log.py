"""Reads that wait for the ledger: on disk line by line, in batches that stay what they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tongbao.kernel import Count, Id, Time
from tongbao.modules.reading import Counted
from tongbao.node.access.needs import Kind
from tongbao.node.access.read_log import BATCH, WAITING, ReadLog

LIMITED: Final = """
import resource, sys
from pathlib import Path
from tongbao.node.access.needs import Kind
from tongbao.node.access.read_log import WAITING, ReadLog
folder = Path(sys.argv[1])
log = ReadLog(folder)
log.add("11" * 20, Kind.ROWS, 1)
before = resource.getrlimit(resource.RLIMIT_FSIZE)
full = (folder / WAITING).stat().st_size + 40
resource.setrlimit(resource.RLIMIT_FSIZE, (full, before[1]))
try:
    log.add("11" * 20, Kind.ROWS, 2)
except OSError as error:
    print(type(error).__name__)
resource.setrlimit(resource.RLIMIT_FSIZE, before)
log.add("11" * 20, Kind.ROWS, 3)
"""
"""Adds three reads, the second one while the file may not grow by a whole line."""

FIRST, SECOND = Id("11" * 20), Id("22" * 20)


def test_lines_are_counted_by_inspection_and_kind(tmp_path: Path) -> None:
    """
    Given reads under two inspections,
    when they are cut off,
    then each inspection has its counts, and the times of its first and last.
    """
    log = ReadLog(tmp_path / "reads")
    log.add(SECOND, Kind.ROWS, Time(5))
    log.add(FIRST, Kind.QUERIES, Time(7))
    log.add(SECOND, Kind.ROWS, Time(9))

    cut = log.cut()
    assert cut is not None
    assert cut[1] == (
        Counted(inspection=FIRST, since=Time(7), until=Time(7), queries=Count(1)),
        Counted(inspection=SECOND, since=Time(5), until=Time(9), rows=Count(2)),
    )
    log.forget()
    assert log.cut() is None
    assert log.oldest is None


def test_a_batch_that_was_cut_stays_the_same_whatever_comes_later(tmp_path: Path) -> None:
    """
    Given a batch that was cut off, perhaps sent, and a node that was killed then,
    when another one begins on the folder and more is read,
    then the batch has the same name and counts, and what came later is in the next.
    """
    log = ReadLog(tmp_path / "reads")
    log.add(FIRST, Kind.PAGES, Time(1))
    before = log.cut()
    log.add(FIRST, Kind.PAGES, Time(2))

    again = ReadLog(tmp_path / "reads")
    again.add(FIRST, Kind.PAGES, Time(3))
    assert again.cut() == before
    assert again.oldest == 1
    again.forget()
    after = again.cut()
    assert after is not None
    assert before is not None
    assert after[0] != before[0]
    assert after[1] == (Counted(inspection=FIRST, since=Time(2), until=Time(3), pages=Count(2)),)


def test_a_line_that_a_full_disk_has_cut_short_is_no_read(tmp_path: Path) -> None:
    """
    Given a disk that is full in the middle of a line, by a limit of the system's on files,
    when a read is to be kept, and another one when there is space again,
    then the first is not kept and nobody is answered, and the second is whole.
    """
    kept = tmp_path / "reads"
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED, str(kept)], capture_output=True, text=True, check=True
    )
    assert ended.stdout == "OSError\n"
    cut = ReadLog(kept).cut()
    assert cut is not None
    assert cut[1] == (Counted(inspection=FIRST, since=Time(1), until=Time(3), rows=Count(2)),)


def test_a_line_that_was_torn_is_cut_off_and_others_stay(tmp_path: Path) -> None:
    """
    Given a node that was killed while it wrote a line, for which nobody was answered,
    when another one begins and adds a line,
    then both whole lines are there and nothing of the torn one.
    """
    log = ReadLog(tmp_path / "reads")
    log.add(FIRST, Kind.HISTORIES, Time(1))
    with (tmp_path / "reads" / WAITING).open("ab") as file:
        file.write(b'{"inspection":"11')

    again = ReadLog(tmp_path / "reads")
    again.add(FIRST, Kind.HISTORIES, Time(2))
    cut = ReadLog(tmp_path / "reads").cut()
    assert cut is not None
    assert cut[1][0].histories == 2
    assert (tmp_path / "reads" / BATCH).exists()


def test_a_file_of_something_else_is_named(tmp_path: Path) -> None:
    """
    Given a file in the folder that is no list of reads,
    when a node begins,
    then the error names it and what to do.
    """
    (tmp_path / "reads").mkdir()
    (tmp_path / "reads" / WAITING).write_text("nothing\n")
    with pytest.raises(ValueError, match=r"waiting[.]jsonl is no list of reads"):
        ReadLog(tmp_path / "reads")
