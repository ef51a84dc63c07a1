"""Whether transactions wait while no block comes: what a node sees of a network without a quorum.

CometBFT counts as up while it votes alone. A chain that is idle makes few blocks and is no
standstill, so that only a transaction that has itself waited so long counts.
"""

from __future__ import annotations

import time

from tongbao.engines.cometbft.tickets import Tickets


class Standstill:
    """How long no block has come, on a steady clock. Asked and told in any thread."""

    def __init__(self, tickets: Tickets, seconds: float) -> None:
        """Look at those who wait, and speak of it after so many seconds."""
        self._tickets = tickets
        self._seconds = seconds
        self._block_at = time.monotonic()

    def end(self) -> None:
        """A block is durable."""
        self._block_at = time.monotonic()

    def why(self) -> str | None:
        """Why this is a standstill, in words for an operator; None while it is none."""
        since = self._tickets.oldest
        if since is None:
            return None
        now, block_at = time.monotonic(), self._block_at
        if now - max(since, block_at) <= self._seconds:
            return None
        count = len(self._tickets)
        wait = "1 transaction waits" if count == 1 else f"{count:,} transactions wait"
        return (
            f"no block for {now - block_at:.0f} s while {wait}: "
            "does more than two thirds of the power take part?"
        )
