"""What the transactions of a mempool cost together: each block begins the count anew.

A check by the machine asks whether a payer has the tokens for one transaction. A mempool holds
many, so they are counted beside each other, as a block counts them. Behind each block all that is
still there is asked about again. Tokens flow in while a mempool is empty and no block comes: what
was counted stays for a while, and what was refused does not.
"""

from __future__ import annotations

from typing import Final

from tongbao.kernel import Machine, Time
from tongbao.kernel.kernel_module import QUOTAS
from tongbao.kernel.transaction import Transaction

LASTS_MS: Final = 10_000
"""How long something is counted without a block: CometBFT may have dropped it, and told nobody."""


class Counting:
    """The tokens of what is in the mempool since the last block."""

    def __init__(self, machine: Machine) -> None:
        """Nothing is in it."""
        self._machine = machine
        self._quotas = machine.quotas_for_admission()
        self._begun: Time | None = None
        """The time since which something is counted."""

    @property
    def is_on(self) -> bool:
        """Whether transactions are paid for."""
        return self._machine.parameters[QUOTAS.name] > 0

    def begin(self) -> None:
        """A block was kept: its rows say what is left."""
        self._begun = None

    def add(self, transaction: Transaction, time: Time) -> None:
        """Count one, for a block of a time. Raises InvalidTransaction where its payer has spent."""
        if not self.is_on:
            return
        if self._begun is None or time > self._begun + LASTS_MS:
            self._begun = None
            self._quotas.begin(time, self._machine.parameters)
        self._quotas.pay(self._quotas.ask(transaction.payload))
        if self._begun is None:
            self._begun = time
