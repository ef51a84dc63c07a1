"""Which of its blocks CometBFT may forget."""

from __future__ import annotations

from tongbao.engines.cometbft.genesis_document import EVIDENCE_BLOCKS

KEEP_ALL = 0
"""The answer that lets no block go."""


def retain_height(
    durable: int, retain_blocks: int, oldest_snapshot: int | None, evidence: int = EVIDENCE_BLOCKS
) -> int:
    """The first block that CometBFT must keep, `KEEP_ALL` for all.

    `durable` is the last block of our log; since each is synced before Commit answers, no kill of
    this process needs an earlier one again. Below it nothing goes that is among the last
    `retain_blocks` (0: nothing goes at all), that a node needs which joins by the oldest snapshot
    here (without one, every joiner needs all blocks), or that evidence may be about.
    """
    if retain_blocks == 0 or oldest_snapshot is None:
        return KEEP_ALL
    wanted = min(durable + 1 - retain_blocks, oldest_snapshot, durable + 1 - evidence)
    return max(wanted, KEEP_ALL)
