"""A hostile proposer: its blocks have invalid, doubled, reordered and huge transactions in them."""

from __future__ import annotations

import logging
from collections import deque
from random import Random
from typing import Any, Final

from tongbao.engines.cometbft import requests as q
from tongbao.engines.cometbft import responses as r
from tongbao.engines.cometbft.application import MachineApplication, fitting

log = logging.getLogger("tongbao.simulation.network")

HUGE_BYTES: Final = 3_000_000
EMPTY: Final = 5_000
KEPT: Final = 50
KINDS: Final = ("invalid", "doubled", "again", "huge", "many", "reversed")
DONE: Final = "a hostile block was proposed: %s"


class HostileApplication(MachineApplication):
    """Decides as everybody does, and proposes what no correct node would."""

    def __init__(self, *arguments: Any, seed: int, **named: Any) -> None:
        """Everything comes from the seed."""
        super().__init__(*arguments, **named)
        self._random = Random(f"hostile/{seed}")
        self._seen: deque[bytes] = deque(maxlen=KEPT)
        self._turn: list[int] = []

    def prepare_proposal(self, request: q.RequestPrepareProposal, /) -> r.ResponsePrepareProposal:
        """One kind of harm in each proposal: all of them, then all again in another order."""
        makers = (self._invalid, self._doubled, self._again, self._huge, self._many, self._reversed)
        if not self._turn:
            self._turn = self._random.sample(range(len(KINDS)), len(KINDS))
        kind = self._turn.pop()
        proposed = fitting(tuple(makers[kind](request.txs)), request.max_tx_bytes)
        self._seen.extend(request.txs)
        log.warning(DONE, KINDS[kind])
        return r.ResponsePrepareProposal(proposed)

    def _invalid(self, wires: tuple[bytes, ...]) -> list[bytes]:
        """Bytes of nobody, and each transaction with one byte changed before it."""
        found = [self._random.randbytes(self._random.randint(1, 400)) for _ in range(5)]
        for wire in wires:
            changed = bytearray(wire)
            changed[self._random.randrange(len(wire))] ^= 1 << self._random.randrange(7)
            found += [bytes(changed), wire]
        return found

    def _doubled(self, wires: tuple[bytes, ...]) -> list[bytes]:
        """Each transaction three times."""
        return [wire for wire in wires for _ in range(3)]

    def _again(self, wires: tuple[bytes, ...]) -> list[bytes]:
        """What stood in blocks before, again."""
        return [*self._seen, *wires]

    def _huge(self, wires: tuple[bytes, ...]) -> list[bytes]:
        """One of three million bytes."""
        return [self._random.randbytes(HUGE_BYTES), *wires]

    def _many(self, wires: tuple[bytes, ...]) -> list[bytes]:
        """Thousands without a byte."""
        return [*wires, *[b""] * EMPTY]

    def _reversed(self, wires: tuple[bytes, ...]) -> list[bytes]:
        """The last one first."""
        return list(reversed(wires))
