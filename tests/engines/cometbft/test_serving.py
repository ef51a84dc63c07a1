"""The server in a thread of its own, beside threads that compute."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.engines.cometbft.gated import Gated
from tongbao.engines.cometbft.server import Server
from tongbao.engines.cometbft.serving import TURN_SECONDS, Serving


@pytest.fixture(autouse=True)
def turns() -> Iterator[None]:
    """The turns that threads take are the process's: set back afterwards."""
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize(
    ("before", "then"), [(0.005, TURN_SECONDS), (TURN_SECONDS / 5, TURN_SECONDS / 5)]
)
def test_threads_take_short_turns_beside_the_server(before: float, then: float) -> None:
    """
    Given a process whose threads take turns of Python's 5 ms, or of less than the server wants,
    when the server is started and closed,
    then they take those that the server wants, or their own shorter ones.
    """
    sys.setswitchinterval(before)
    with TemporaryDirectory() as folder:
        failures: list[BaseException] = []
        one = Serving(Server(Gated(), Path(folder) / "abci.sock"), failures.append)
        one.start()
        one.close()
    assert sys.getswitchinterval() == pytest.approx(then, abs=2e-6)  # it counts whole microseconds
    assert failures == []
