"""Whether transactions wait while no block comes: what a node sees of a network without a quorum.

CometBFT counts as up while it votes alone. A chain that is idle makes few blocks and is no
standstill, so that only a transaction that has itself waited so long counts.
"""

from __future__ import annotations

import time

from tongbao.engines.cometbft.tickets import Tickets


def why_still(tickets: Tickets, block_at: float, seconds: float) -> str | None:
    """Why this is a standstill, in words for an operator; None while it is none.

    It is one when the last block, `block_at` on the monotonic clock, and the transaction that
    waits longest are both more than so many seconds ago.
    """
    since = tickets.oldest
    now = time.monotonic()
    if since is None or now - max(since, block_at) <= seconds:
        return None
    count = len(tickets)
    wait = "1 transaction waits" if count == 1 else f"{count:,} transactions wait"
    return (
        f"no block for {now - block_at:.0f} s while {wait}: "
        "does more than two thirds of the power take part?"
    )
