"""Whether a CometBFT without a peer dials any more: it may have stopped for ever, and is woken.

CometBFT 0.39 marks a persistent peer that it is dialling. Where the peer ends the connection at
once, as one does that does not admit this node yet, the next attempt can find the mark of the last
one and give up. Nothing dials then, however many blocks the others make.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from tongbao.engines.cometbft.rpc import Rpc

FIRST_SECONDS: Final = 10.0
LONGEST_SECONDS: Final = 300.0
"""How long it is let alone the first time, and at most; twice as long each time."""
IDLE_SECONDS: Final = 45.0
"""A validator that makes blocks alone makes one every 30 s; it is none of these."""


class Dialing:
    """Says when to start CometBFT again because it is alone."""

    def __init__(
        self, rpc: Rpc, *, dials: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Look at a CometBFT that has persistent peers to dial, or has none."""
        self._rpc = rpc
        self._dials = dials
        self._clock = clock
        self._alone_since: float | None = None
        self._patience = FIRST_SECONDS

    def gave_up(self, power: int, block_at: float) -> bool:
        """Whether it is to be started again; asked now and then.

        `power` is this node's own, `block_at` when the last block came. Raises RpcError,
        RpcUnreachable.
        """
        if not self._dials:
            return False
        now = self._clock()
        if self._rpc.net_info().n_peers:
            self._alone_since, self._patience = None, FIRST_SECONDS
            return False
        if self._alone_since is None:
            self._alone_since = now
        is_idle = now - block_at > (IDLE_SECONDS if power else FIRST_SECONDS)
        if not is_idle or now - self._alone_since < self._patience:
            return False
        self._alone_since, self._patience = None, min(2 * self._patience, LONGEST_SECONDS)
        return True
