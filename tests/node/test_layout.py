"""How many processes a node has: by its cores, a container's share of them, and the setting."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tongbao.node.processes.layout import cores_of, counts_of, quota_of, told
from tongbao.node.settings import Settings


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("max 100000\n", sys.maxsize),
        ("200000 100000\n", 2),
        ("150000 100000\n", 2),
        ("5000 100000\n", 1),
        ("nonsense", sys.maxsize),
    ],
)
def test_a_container_is_laid_out_for_its_share_of_the_cores(
    tmp_path: Path, text: str, cores: int
) -> None:
    """
    Given what the system says of a container's share of CPU time,
    when a node asks for how many cores it is laid out,
    then a part of a core counts as one, and no bound as none.
    """
    file = tmp_path / "cpu.max"
    file.write_text(text, encoding="ascii")
    assert quota_of(file) == cores
    assert quota_of(tmp_path / "none") == sys.maxsize


def test_the_setting_says_for_how_many_cores_a_node_is_laid_out() -> None:
    """
    Given the setting `processes`,
    when it is 2, 1 or 64,
    then there are as many verifiers as cores up to a bound, one core, one front; 1 is one process.
    """
    two = counts_of(Settings(processes=2))
    assert told(two) == "core, 2 verifiers, reader, indexer, front"
    assert counts_of(Settings(processes=64))["verifier"] == 16
    assert counts_of(Settings(processes=2, index="none"))["indexer"] == 0
    assert cores_of(Settings(processes=1)) == 1
    assert cores_of(Settings()) >= 1
