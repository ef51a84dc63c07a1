"""Blocks that are durable in the log, and that the rows have not taken in yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tongbao.store.record import BlockRecord, Status, statuses_of

BLOCKS_BEHIND: Final = 10
ROWS_BEHIND: Final = 50_000
SECONDS_BEHIND: Final = 0.1


class Behind:
    """So many blocks that the rows are behind the log, and where their transactions stand."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """None yet. `clock` gives seconds that never run backwards."""
        self.records: list[BlockRecord] = []
        self._status: dict[bytes, Status] = {}
        self._rows = 0
        self._since = 0.0
        self._clock = clock

    def add(self, record: BlockRecord) -> None:
        """One more."""
        if not self.records:
            self._since = self._clock()
        self.records.append(record)
        self._rows += len(record.rows)
        for transaction_id, status in statuses_of(record):
            self._status.setdefault(transaction_id, status)

    @property
    def is_long(self) -> bool:
        """Whether they are so many, or wait so long, that the rows should follow."""
        return (
            len(self.records) >= BLOCKS_BEHIND
            or self._rows >= ROWS_BEHIND
            or self._clock() - self._since >= SECONDS_BEHIND
        )

    def status(self, transaction_id: bytes) -> Status | None:
        """Where a transaction of one of them stands."""
        return self._status.get(transaction_id)

    def clear(self) -> None:
        """The rows have followed."""
        self.records.clear()
        self._status.clear()
        self._rows = 0
