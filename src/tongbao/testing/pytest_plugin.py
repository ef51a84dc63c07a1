"""The pytest fixture `chain`, for the tests of any module."""

from __future__ import annotations

import pytest

from tongbao.testing.chain import Chain


@pytest.fixture
def chain() -> Chain:
    """A fresh chain: the bank, and alice, bob, carol and mallory with 1000.00 CNY each."""
    return Chain()
