"""`tongbao demo data --network`: the same story where four institutions decide."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec
import pytest

from tests.engines.cometbft.needed import not_tested
from tests.engines.cometbft.real import PROGRAM
from tongbao.demo.market.deviations import COUNT
from tongbao.demo.market.story import Report

COMMAND: Final = (sys.executable, "-m", "tongbao.cli.main", "demo", "data", "--network")
SECONDS: Final = 580


@pytest.fixture(autouse=True)
def program() -> None:
    """CometBFT, or no test."""
    if not PROGRAM.is_file():
        not_tested(str(PROGRAM))


def test_the_story_plays_on_four_validators(tmp_path: Path) -> None:
    """
    Given a new network of four validators,
    when few households sell, and everybody misbehaves who can,
    then each way to misbehave ends as it should, every cent is counted, and nothing is found.
    """
    words = ("--households", "15", "--folder", str(tmp_path / "run"), "--json")
    found = subprocess.run([*COMMAND, *words], capture_output=True, timeout=SECONDS, check=False)
    assert found.returncode == 0, found.stderr.decode()
    report = msgspec.json.decode(found.stdout, type=Report)
    assert [one.phase for one in report.deviations] == [one.case.ends for one in report.deviations]
    assert (len(report.deviations), report.differences) == (COUNT, ())
