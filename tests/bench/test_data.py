"""`make bench-data` measures packages and whole grants, and its figures come onto the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench.data import main
from bench.page import PAGE
from bench.page import main as write_page

TINY = ("--rows", "100", "--times", "1", "--households", "5", "--runs", "1")


def test_grants_and_packages_are_measured_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Given five households that sell through a node, a store and an agent of their own processes,
    when all is measured with tiny sizes, and the page is written out of the file,
    then each grant took its five transactions, every program used CPU, and the page has it.
    """
    out, page = tmp_path / "bench-data.json", tmp_path / "page.md"
    page.write_text(PAGE.read_text())
    assert main([*TINY, "--out", str(out)]) == 0
    found: dict[str, Any] = msgspec.json.decode(out.read_bytes())

    assert found["transactions_per_grant"] == 5.0
    assert found["large_rows"] == 10_000
    assert sorted(found["cpu_ms_per_grant"]) == ["agent", "buyers", "node", "store"]
    for name in ("grants_per_s", "built_mb_per_s", "judged_mb_per_s", "opening_peak_megabytes"):
        assert found[name] > 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("bench-data: ")
    assert write_page(tmp_path, page) == 0
    assert "| ledger transactions of a grant | 5.0 |" in page.read_text()
