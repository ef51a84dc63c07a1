"""The pytest fixture `chain`, for the tests of any module; `chain_modules` names those of others.

pytest finds this plugin by itself wherever Tongbao is installed; it loads nothing before the
fixture is asked for, so that tests of other things don't wait for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tongbao.kernel import Module
    from tongbao.testing.chain import Chain


@pytest.fixture
def chain_modules() -> tuple[Module, ...]:
    """Modules of others that the chain has above Tongbao's: define it anew in a conftest.py."""
    return ()


@pytest.fixture
def chain(chain_modules: tuple[Module, ...]) -> Chain:
    """A fresh chain: the bank, and alice, bob, carol and mallory with 1000.00 CNY each."""
    from tongbao.testing.chain import Chain

    return Chain(*chain_modules)
