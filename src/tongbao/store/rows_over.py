"""Rows of a snapshot with those of later blocks over them, for when the rows can't follow the log.

A full disk keeps rows behind blocks that are durable and that people were told of. Whoever reads
beside takes those few blocks out of the log, until the rows have followed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from tongbao.store.record import BlockRecord, Status, statuses_of
from tongbao.store.rows_beside import RowsAt


class Later:
    """What the blocks after a height wrote, up to another height."""

    def __init__(self, records: Iterable[BlockRecord]) -> None:
        """Take in blocks, in order, of which there is one at least."""
        self.rows: dict[bytes, bytes | None] = {}
        self.statuses: dict[bytes, Status] = {}
        self.height = -1
        for record in records:
            self.rows.update(record.rows)
            for transaction_id, status in statuses_of(record):
                self.statuses.setdefault(transaction_id, status)
            self.height = record.height
        self.keys = sorted(self.rows)

    def between(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes | None]]:
        """What was written from `start` on and before `stop`, ascending; None was removed."""
        keys = self.keys
        for key in keys[bisect_left(keys, start) : bisect_left(keys, stop)]:
            yield key, self.rows[key]


class RowsOver:
    """A snapshot with later blocks over it: the rows of the last of those."""

    def __init__(self, below: RowsAt, later: Later) -> None:
        """Lay blocks over a snapshot of a height that they go on from, or of one among them."""
        assert below.height < later.height
        self._below = below
        self._later = later
        self.height = later.height
        self.hashed_rows: int | None = None

    def get(self, key: bytes) -> bytes | None:
        """The value under a full key."""
        if key in self._later.rows:
            return self._later.rows[key]
        return self._below.get(key)

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Pairs from `start` on and before `stop`, ascending."""
        newer = self._later.between(start, stop)
        key, value = next(newer, (stop, None))
        for below, old in self._below.scan(start, stop):
            while key < below:
                if value is not None:
                    yield key, value
                key, value = next(newer, (stop, None))
            if key != below:
                yield below, old
        while key < stop:
            if value is not None:
                yield key, value
            key, value = next(newer, (stop, None))

    def status(self, transaction_id: bytes) -> Status | None:
        """Where a transaction stands that was decided up to this height."""
        return self._below.status(transaction_id) or self._later.statuses.get(transaction_id)
