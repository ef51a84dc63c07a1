"""A market whose agent runs, for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services.data_agent.market import Market, market


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """A market with an agent that runs, and alice's copy of March at it."""
    with market(tmp_path_factory.mktemp("market")) as found:
        found.start()
        found.march = found.committed("2026-03", [1, 2, 3])
        assert found.bring(found.march).status_code == 200
        yield found
