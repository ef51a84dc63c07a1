"""What the transactions of a mempool cost together: each block begins the count anew.

A check by the machine asks whether a payer has the tokens for one transaction. A mempool holds
many, so they are counted beside each other, as a block counts them. Behind each block all that is
still there is asked about again.
"""

from __future__ import annotations

from tongbao.kernel import Machine, Time
from tongbao.kernel.kernel_module import QUOTAS
from tongbao.kernel.transaction import Transaction


class Counting:
    """The tokens of what is in the mempool since the last block."""

    def __init__(self, machine: Machine) -> None:
        """Nothing is in it."""
        self._machine = machine
        self._quotas = machine.quotas_for_admission()
        self._is_begun = False

    @property
    def is_on(self) -> bool:
        """Whether transactions are paid for."""
        return self._machine.parameters[QUOTAS.name] > 0

    def begin(self) -> None:
        """A block was kept: its rows say what is left."""
        self._is_begun = False

    def add(self, transaction: Transaction, time: Time) -> None:
        """Count one, for a block of a time. Raises InvalidTransaction where its payer has spent."""
        if not self.is_on:
            return
        if not self._is_begun:
            self._is_begun = True
            self._quotas.begin(time, self._machine.parameters)
        self._quotas.pay(self._quotas.ask(transaction.payload))
