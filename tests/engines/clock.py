"""A clock that tests move, and what alice holds by it."""

from tests.fixed_chain import BEGIN, FixedChain
from tongbao.modules import asset
from tongbao.sdk.local import Chain


class Clock:
    """A wall clock that tests move."""

    def __init__(self) -> None:
        """Start an hour's quarter after genesis."""
        self.now = BEGIN + 60_000

    def __call__(self) -> int:
        """Milliseconds UTC."""
        return self.now


def held_by_alice(fixed: FixedChain, chain: Chain) -> int:
    """Alice's units."""
    holding = chain.query(asset.balance, fixed.alice, fixed.cny)
    return 0 if holding is None else holding.amount.units
