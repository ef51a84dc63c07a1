"""The tables of the page about performance come out of files of figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.page import MARKS, NO_PAGE, PAGE, WRITERS, main

FOUND = b"""{"cpu": "x", "cores": 2, "load_before": 0.1, "python": "3.11", "build": "pure Python",
"version": "1", "durability": "synced", "purchases_s": 95.5, "long_rss_mb": 300.0}"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A copy of the page."""
    copy = tmp_path / "page.md"
    copy.write_text(PAGE.read_text())
    return copy


def test_a_part_is_written_out_of_its_file_and_the_others_stay(page: Path, tmp_path: Path) -> None:
    """
    Given figures of what takes long alone, one of them short of its goal,
    when the page is written twice,
    then that part has both and says which is not reached, and all else is as it was.
    """
    (tmp_path / "bench-long.json").write_bytes(FOUND)
    before = page.read_text()
    assert main(tmp_path, page) == 0
    after = page.read_text()
    assert "| every basket: signed, settled, proven | 95.5 s | at most 90, not reached |" in after
    assert "| the same after a million in a row | 300.0 MB | at most 2048 |" in after
    assert "otherwise idle" in after
    assert main(tmp_path, page) == 0
    assert page.read_text() == after
    first, mark = MARKS.format("bench-long"), MARKS.format("bench-peers")
    assert after.partition(first)[0] == before.partition(first)[0]
    assert after.partition(mark)[2] == before.partition(mark)[2]


def test_the_page_has_a_place_for_every_part(page: Path, tmp_path: Path) -> None:
    """
    Given the page,
    when a file that is none of figures is to be written into it,
    then that is said, the page stays, and it has the marks of every part.
    """
    before = page.read_text()
    assert all(MARKS.format(name) in before for name in WRITERS)
    (tmp_path / "bench.json").write_bytes(b"no")
    assert main(tmp_path, page) == NO_PAGE
    assert page.read_text() == before
