"""One market that all tests of this folder share; those that wait for deadlines wait together."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scenarios.stage import Stage, stage
from tests.scenarios.town import SECONDS
from tests.scenarios.waits import Waits


@pytest.fixture(scope="session")
def market() -> Iterator[Stage]:
    """The market, open."""
    with stage(SECONDS) as found:
        yield found


@pytest.fixture(scope="session")
def waits(market: Stage) -> Waits:
    """All orders of which a deadline passes, which has passed."""
    return Waits(market)


@pytest.fixture(scope="module")
def panels(market: Stage, waits: Waits) -> Iterator[dict[str, str]]:
    """Adjudicators' programs, after the claims to which the panel says nothing."""
    with market.panels() as places:
        yield places
