"""The last blocks as the pages list them: lines, the newest transactions, and the rate."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec import Struct

from tongbao.kernel.envelope import decode_envelope
from tongbao.kernel.transaction import id_of
from tongbao.sdk.local import Chain
from tongbao.store.record import FIRST_REFUSAL, has_happened

BLOCKS_REMEMBERED: Final = 512
LATEST: Final = 12
"""Transactions of a block that are kept for the list of the newest."""

RATE_BLOCKS: Final = 40
"""Blocks that the rate is measured over."""


class Brief(Struct, frozen=True):
    """A transaction in a list. `messages` are wire names with how many there are of each."""

    height: int
    index: int
    time: int
    id: str
    number: int
    sender: str
    messages: tuple[tuple[str, int], ...]

    @property
    def state(self) -> str:
        """What became of it, in a word."""
        return state_of(self.number)


class Line(Struct, frozen=True):
    """A block in a list, and its last transactions."""

    height: int
    time: int
    transactions: int
    refused: int
    latest: tuple[Brief, ...]


class Rate(Struct, frozen=True):
    """Transactions of blocks `first` to `last`, and the ms between the block before and `last`."""

    first: int
    last: int
    transactions: int
    ms: int

    @property
    def per_second(self) -> float:
        """Transactions per second of block time."""
        return self.transactions * 1000 / self.ms


class _Said(Struct):
    """What of a payload a list shows."""

    sender: str
    messages: tuple[dict[str, Any], ...]


_payloads: Final = msgspec.json.Decoder(_Said)


def state_of(number: int) -> str:
    """The outcome that a number in a receipt stands for."""
    if number == 0:
        return "applied"
    return "refused" if number >= FIRST_REFUSAL else "invalid"


def briefs(record: Any, first: int, last: int) -> tuple[Brief, ...]:
    """The transactions with an outcome of a block, from one index up to before another."""
    found = []
    for index in range(first, min(last, len(record.transactions))):
        if not has_happened(record.outbox[index][1]):
            continue  # a network's block may hold what nobody could read
        payload = decode_envelope(record.transactions[index]).payload
        said = _payloads.decode(payload)
        names = Counter(str(message["@type"]) for message in said.messages)
        found.append(
            Brief(
                record.height,
                index,
                record.time,
                id_of(payload).hex(),
                record.outbox[index][1],
                said.sender,
                tuple(names.items()),
            )
        )
    return tuple(found)


class History:
    """Blocks never change: each is read once and its line remembered."""

    def __init__(self, chain: Chain) -> None:
        """Read a chain's blocks."""
        self._chain = chain
        self._line = lru_cache(maxsize=BLOCKS_REMEMBERED)(self._read)

    def _read(self, height: int) -> Line:
        record = self._chain.block(height)
        count = len(record.transactions)
        return Line(
            height,
            record.time,
            count,
            sum(number != 0 for _, number in record.outbox),
            briefs(record, max(0, count - LATEST), count)[::-1],
        )

    def lines(self, last: int, count: int) -> list[Line]:
        """Blocks from a height downwards, as far as their bodies are here."""
        low = max(last - count + 1, self._chain.first_block)
        return [self._line(height) for height in range(last, low - 1, -1)]

    def rate(self, last: int) -> Rate | None:
        """The rate over the last blocks; None where there is only one."""
        lines = self.lines(last, RATE_BLOCKS + 1)
        if len(lines) < 2:
            return None
        transactions = sum(line.transactions for line in lines[:-1])
        return Rate(lines[-2].height, last, transactions, lines[0].time - lines[-1].time)
