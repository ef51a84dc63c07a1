"""`make bench-long` measures what takes long, one part after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench.figures import FIGURES
from bench.long import PARTS, main

TINY = (
    *("--accounts", "120", "--flood", "60", "--runs", "1", "--in-a-row", "120"),
    *("--parts", "2", "--verify-s", "0.05", "--baskets", "5"),
)
FIGURES_OF = {
    "million_accounts": "million_",
    "million_in_a_row": "long_",
    "purchases": "purchases_",
}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_the_long_figures_is_measured_alone(
    part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Given a part of the long figures,
    when it alone is measured with tiny sizes,
    then its file has every figure of that part, and the table tells them.
    """
    out = tmp_path / "long.json"
    assert main([*TINY, "--only", part, "--out", str(out)]) == 0
    found: dict[str, Any] = msgspec.json.decode(out.read_bytes())
    wanted = {name for name in FIGURES if name.startswith(FIGURES_OF[part])}
    assert wanted
    assert not wanted - found.keys()
    said = capsys.readouterr().out
    assert all(FIGURES[name].words in said for name in wanted)
    assert said.splitlines()[-1].startswith("bench-long: ")
