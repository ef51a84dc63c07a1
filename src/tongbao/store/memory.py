"""A store in memory, for tests and what is tried and forgotten: nothing durable."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from tongbao.store.closable import Closable
from tongbao.store.errors import DiskFull
from tongbao.store.record import (
    BlockRecord,
    HeaderLine,
    Status,
    check_record,
    line_of,
    statuses_of,
)
from tongbao.store.recovery import NO_BASE


class MemoryStore(Closable):
    """Blocks and rows in dicts; rows follow at each `maintain`."""

    def __init__(self) -> None:
        """Begin without a block."""
        self._blocks: list[BlockRecord] = []
        self._rows: dict[bytes, bytes] = {}
        self._keys: list[bytes] = []
        self._status: dict[bytes, Status] = {}
        self._flushed = 0

    @property
    def last(self) -> HeaderLine | None:
        """The header of the last block, None before genesis."""
        return line_of(self._blocks[-1]) if self._blocks else None

    @property
    def base(self) -> int:
        """Memory begins with genesis."""
        return NO_BASE

    def base_rows(self) -> Iterator[tuple[bytes, bytes]]:
        """None: there is no base."""
        return iter(())

    @property
    def begins(self) -> int:
        """Every header is there."""
        return 0

    @property
    def first(self) -> int:
        """Every block is there."""
        return 0

    @property
    def height(self) -> int:
        """The height of the last block, -1 before genesis."""
        return len(self._blocks) - 1

    def append(self, record: BlockRecord) -> None:
        """Keep the next block."""
        check_record(record)
        assert record.height == len(self._blocks)
        self._blocks.append(record)
        for transaction_id, status in statuses_of(record):
            self._status.setdefault(transaction_id, status)

    def maintain(self, idle: bool, hashed_rows: int | None = None) -> int | None:
        """Apply the rows of new blocks; the height that they now have, None when none is new."""
        if self._flushed == len(self._blocks):
            return None
        for record in self._blocks[self._flushed :]:
            for key, value in record.rows:
                if value is None:
                    self._rows.pop(key, None)
                else:
                    self._rows[key] = value
        self._keys = sorted(self._rows)
        self._flushed = len(self._blocks)
        return self.height

    @property
    def lack(self) -> DiskFull | None:
        """Memory has no disk that could be full."""
        return None

    def has_room(self) -> bool:
        """Always."""
        return True

    def get(self, key: bytes) -> bytes | None:
        """The value under a full key."""
        return self._rows.get(key)

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Pairs from `start` on and before `stop`, ascending."""
        for key in self._keys[bisect_left(self._keys, start) : bisect_left(self._keys, stop)]:
            yield key, self._rows[key]

    def status(self, transaction_id: bytes) -> Status | None:
        """Where a transaction stands."""
        return self._status.get(transaction_id)

    def block(self, height: int) -> BlockRecord:
        """The record of a block. Raises LookupError."""
        if not 0 <= height < len(self._blocks):
            raise LookupError(f"there is no block {height}")
        return self._blocks[height]

    def headers(self, first: int, last: int) -> list[HeaderLine]:
        """The signed headers of the heights `first` to `last`, as far as there are blocks."""
        blocks = self._blocks[max(first, 0) : max(last + 1, 0)]
        return [line_of(record) for record in blocks]

    def close(self) -> None:
        """Bring the rows up to the blocks; there is nothing to give free."""
        self.maintain(idle=True)
