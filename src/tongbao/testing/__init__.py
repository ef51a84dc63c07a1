"""Trying modules: a chain in memory, strategies and random histories out of their declarations."""

from tongbao.testing.chain import Chain, NotApplied
from tongbao.testing.genesis import CNY, alice, bank, bob, carol, mallory
from tongbao.testing.keys import MixedOrderKey, ledger_key, named_key

__all__ = [
    "CNY",
    "Chain",
    "MixedOrderKey",
    "NotApplied",
    "alice",
    "bank",
    "bob",
    "carol",
    "ledger_key",
    "mallory",
    "named_key",
]
