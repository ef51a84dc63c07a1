"""Signatures of transactions that CometBFT asks about by the hundred: checked together, before.

What peers have told it comes as one CheckTx after the other, and what a node has missed in blocks.
A thread that leaves Python for each signature waits its turn after each, beside threads that are
busy; so all that come together go to the signature checker, on another core.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice

from tongbao.engines.verifier import Verifier, checks_of, other_core
from tongbao.kernel import InvalidTransaction, Machine
from tongbao.kernel.transaction import Transaction


class Ahead:
    """Remembers in a machine which transactions are rightly signed. Belongs to no thread."""

    def __init__(self) -> None:
        """Start no process yet: the first large batch does."""
        self._verifier = Verifier(elsewhere=other_core())
        self._lock = threading.Lock()

    def look(self, machine: Machine, wires: Sequence[bytes]) -> None:
        """Check those that are new. What is wrong with the others, whoever asks is told."""
        new: list[Transaction] = []
        for wire in wires:
            if not machine.knows(wire):
                with suppress(InvalidTransaction):
                    new.append(machine.parse(wire))
        if not new:
            return
        checks = [check for transaction in new for check in checks_of(transaction)]
        with self._lock:
            self._verifier.begin(checks)
            answers = iter(self._verifier.finish())
        for transaction in new:
            if all(bytes(islice(answers, len(transaction.signatures)))):
                machine.remember(transaction)

    def close(self) -> None:
        """End the checker's process."""
        self._verifier.close()
