"""What every page works on: a chain, its last blocks, and the index of its history."""

from __future__ import annotations

from tongbao.console.history import History
from tongbao.console.movements import MovementIndex
from tongbao.console.signed import Reader
from tongbao.sdk.local import Chain


class Site:
    """A chain to show, and the index of its history if one runs."""

    def __init__(self, chain: Chain, index: MovementIndex | None) -> None:
        """Put the parts together."""
        self.chain = chain
        self.index = index
        self.history = History(chain)
        self.reader = Reader(chain.registry)
        self.vaults = {module.vault: module.name for module in chain.registry.modules}

    def has(self, module: str) -> bool:
        """Whether the chain has a module."""
        return any(found.name == module for found in self.chain.registry.modules)
