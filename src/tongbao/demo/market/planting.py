"""What is planted, and the wires that look for it in front of every program."""

from __future__ import annotations

import secrets
from typing import Final

from tongbao.demo.market.canaries import all_forms
from tongbao.demo.market.wires import Wire
from tongbao.store.closable import Closable

PLANTED: Final = 2
"""Households that are not of the data set, with a planted row each."""
FIRST_PLANTED: Final = 1_000_001
"""Their numbers begin beyond those of the data set."""


class Planting(Closable):
    """The texts that are planted, and the wires that look for them. Use it in `with`."""

    def __init__(self) -> None:
        """Draw the texts."""
        self.texts = [f"planted {secrets.token_hex(12)}" for _ in range(PLANTED)]
        self.wires: list[Wire] = []

    def wire(self, name: str) -> Wire:
        """A wire in front of another program."""
        made = Wire(name, all_forms(self.texts))
        self.wires.append(made)
        return made

    def close(self) -> None:
        """Cut all wires."""
        for wire in self.wires:
            wire.close()
