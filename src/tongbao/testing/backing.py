"""Committed rows in memory, in key order: what a store is to a machine, without the disk."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator


class SortedBacking:
    """A dict of rows with its keys in order. Fulfils `tongbao.kernel.Backing`."""

    def __init__(self) -> None:
        """Begin without a row."""
        self.rows: dict[bytes, bytes] = {}
        self._keys: list[bytes] = []

    def put(self, rows: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Write the rows of a block; None removes, also what is not there."""
        for key, value in rows:
            if value is None:
                if self.rows.pop(key, None) is not None:
                    del self._keys[bisect_left(self._keys, key)]
                continue
            if key not in self.rows:
                insort(self._keys, key)
            self.rows[key] = value

    def get(self, key: bytes) -> bytes | None:
        """The value under a full key."""
        return self.rows.get(key)

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Pairs from `start` on and before `stop`, ascending."""
        for key in self._keys[bisect_left(self._keys, start) : bisect_left(self._keys, stop)]:
            yield key, self.rows[key]
