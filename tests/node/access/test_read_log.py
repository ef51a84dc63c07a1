"""Reads that wait for the ledger: on disk line by line, in batches that stay what they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tongbao.kernel import Count, Id, Time
from tongbao.modules.reading import Counted
from tongbao.node.access.needs import Kind
from tongbao.node.access.read_log import BATCH, WAITING, ReadLog

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
