"""How a long feeding is told."""

from __future__ import annotations

import logging

import pytest

from tongbao.index.pace import TOLD_S, Pace


def test_a_long_feeding_is_told_now_and_then_and_a_short_one_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """
    Given a feeding of blocks 100 to 400, and later one whose end is not known,
    when ten seconds have passed by its clock, and again half of that,
    then each ten seconds it is told how far it is, how fast, and how much is left.
    """
    now = 1000.0
    pace = Pace(0, lambda: now)
    with caplog.at_level(logging.INFO, "tongbao.index"):
        pace.begin(100)
        for height, passed in ((150, TOLD_S / 2), (200, TOLD_S), (250, TOLD_S * 1.5)):
            now = 1000.0 + passed
            pace.tell(height, 400)
        now = 1000.0 + TOLD_S * 2
        pace.tell(300, 300)

    assert [line.getMessage() for line in caplog.records] == [
        "index: block 200 of 400, 10 blocks a second, 20 s left",
        "index: block 300, 10 blocks a second",
    ]
