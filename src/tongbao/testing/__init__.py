"""Trying modules: a chain in memory, strategies and random histories out of their declarations.

Names are loaded when they are first used: pytest loads this package for its plugin, wherever
Tongbao is installed, and tests of other things should not wait for a ledger.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tongbao.testing.chain import Chain, NotApplied
    from tongbao.testing.genesis import CNY, alice, bank, bob, carol, mallory
    from tongbao.testing.keys import MixedOrderKey, ledger_key, named_key

_HOMES = {
    "CNY": "genesis",
    "Chain": "chain",
    "MixedOrderKey": "keys",
    "NotApplied": "chain",
    "alice": "genesis",
    "bank": "genesis",
    "bob": "genesis",
    "carol": "genesis",
    "ledger_key": "keys",
    "mallory": "genesis",
    "named_key": "keys",
}

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


def __getattr__(name: str) -> Any:
    """Load a public name from its home."""
    if name not in _HOMES:
        raise AttributeError(f"tongbao.testing has no {name}")
    return getattr(import_module(f"tongbao.testing.{_HOMES[name]}"), name)
