"""What holds for all tests: how hypothesis searches, and what a missing program means."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# No deadlines: how fast the machine is says nothing about the code. In CI the same commit searches
# the same examples, so that its verdict is repeatable; elsewhere every run searches new ones.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "local")


@pytest.fixture(autouse=True)
def levels_of_the_log() -> Iterator[None]:
    """What a test lets the log say holds for it alone: a node in this process sets the root's."""
    loggers = [logging.getLogger(name) for name in (None, "tongbao", "tongbao.index")]
    levels = [logger.level for logger in loggers]
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without a program that a test needs, it is skipped and says so; in CI it fails."""
    for mark in item.iter_markers("needs"):
        missing = [str(name) for name in mark.args if shutil.which(str(name)) is None]
        if not missing:
            continue
        reason = f"NOT TESTED: {', '.join(missing)} is not installed; .ci/run installs it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
