"""One market that all tests of this folder share; each makes orders of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sdk.data.market import Market, market
from tests.sdk.data.shop import Shop, begun
from tongbao.modules import data

SHORT = {
    data.CONFIRM_MS.name: 4_000,
    data.TRANSFER_MS.name: 1,
    data.REVEAL_MS.name: 3_000,
    data.ACCEPT_MS.name: 4_000,
    data.VERDICT_MS.name: 12_000,
}
"""Milliseconds that the phases have in the market where deadlines pass."""


@pytest.fixture(scope="session")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """A market in which no deadline passes."""
    with market(tmp_path_factory.mktemp("patient") / "chain") as found:
        yield found


@pytest.fixture(scope="session")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """A market in which phases last seconds."""
    with market(tmp_path_factory.mktemp("hasty") / "chain", SHORT) as found:
        yield found


@pytest.fixture
def shop(tmp_path: Path, patient: Market) -> Iterator[Shop]:
    """Bob's folder, and carol's agent, in the patient market."""
    with begun(patient, tmp_path) as found:
        yield found


@pytest.fixture
def hurry(tmp_path: Path, hasty: Market) -> Iterator[Shop]:
    """Bob's folder, and carol's agent, in the hasty market."""
    with begun(hasty, tmp_path) as found:
        yield found
