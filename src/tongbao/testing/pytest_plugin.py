"""The pytest fixture `chain`, for the tests of any module.

pytest finds this plugin by itself wherever Tongbao is installed; it loads nothing before the
fixture is asked for, so that tests of other things don't wait for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tongbao.testing.chain import Chain


@pytest.fixture
def chain() -> Chain:
    """A fresh chain: the bank, and alice, bob, carol and mallory with 1000.00 CNY each."""
    from tongbao.testing.chain import Chain

    return Chain()
