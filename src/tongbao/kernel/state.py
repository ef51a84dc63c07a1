"""Rows as a block sees them: committed rows below, one overlay of newer writes above.

The overlay holds everything that the store's fast copy lacks: the rows of committed blocks not yet
flushed and of the block being decided. A journal of the writes lets a transaction, a due item or a
whole block be taken back. Range reads merge the store with the one overlay, never a stack of them.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any, Final, Protocol

from tongbao.kernel.jcs import encode
from tongbao.kernel.module import Derived, Index, Table
from tongbao.kernel.row_keys import encode_by_value
from tongbao.kernel.schema import Record

MISSING: Final = object()
"""Stands for "the overlay says nothing about this key"."""

CLEAN_ROWS_LIMIT: Final = 400_000
PREFIX_BYTES: Final = 4
INSERTIONS_LIMIT: Final = 16


class Backing(Protocol):
    """Committed rows, as a store keeps them."""

    def get(self, key: bytes) -> bytes | None:
        """The value under a full key."""

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Pairs from `start` on and before `stop`, ascending."""


Written = tuple[bytes, Any, Record | None, Record | None, Table[Any, Any] | None, Any]
"""One write, with what is needed to take it back: the full key, what the overlay had under it, the
old row and the new one, the table (None for an index entry) and the key. A plain tuple, since a
payment makes three."""


class _Ordered:
    """The overlay's keys of one table in order, sorted only when somebody reads a range."""

    __slots__ = ("_fresh", "_keys", "_known")

    def __init__(self) -> None:
        self._keys: list[bytes] = []
        self._fresh: list[bytes] = []
        self._known: set[bytes] = set()

    def add(self, key: bytes) -> None:
        if key not in self._known:
            self._known.add(key)
            self._fresh.append(key)

    def between(self, start: bytes, stop: bytes) -> tuple[list[bytes], int, int]:
        """The sorted keys, and where those from `start` on and before `stop` lie among them."""
        if len(self._fresh) > INSERTIONS_LIMIT:
            self._keys += self._fresh
            self._keys.sort()  # two sorted runs and a short tail: nearly a plain merge
        else:
            for key in self._fresh:
                insort(self._keys, key)
        self._fresh.clear()
        return self._keys, bisect_left(self._keys, start), bisect_left(self._keys, stop)


class State:
    """All live rows, with a journal of the current block's writes."""

    def __init__(self, backing: Backing, structures: Iterable[Derived[Any]] = ()) -> None:
        """Stand on committed rows and build the derived structures out of them."""
        self._backing = backing
        self._overlay: dict[bytes, Any] = {}
        # Rows as the backing has them, in two generations: full, the newer takes the older's place.
        self._clean: dict[bytes, Any] = {}
        self._older: dict[bytes, Any] = {}
        self._ordered: dict[bytes, _Ordered] = {}
        self._new_keys: list[bytes] = []
        self.journal: list[Written] = []
        self.structures: dict[Derived[Any], Any] = {}
        for derived in structures:
            self.structures[derived] = derived.build(self.items(derived.of))

    def read(self, table: Table[Any, Any], full_key: bytes) -> Any:
        """The row under a full key, or None."""
        row = self._overlay.get(full_key, MISSING)
        if row is MISSING:
            row = self._clean.get(full_key, MISSING)
            if row is MISSING:
                row = self._older.get(full_key, MISSING)
                if row is MISSING:
                    raw = self._backing.get(full_key)
                    row = None if raw is None else table.decode(raw)
                self._clean[full_key] = row
        return row

    def warm(self, tables: Iterable[Table[Any, Any]]) -> None:
        """Read rows of these tables before they are asked for, no more than the newest half keeps.

        It changes nothing but when they are read: of what the first payments of 100,000 accounts
        cost to decide, a sixth is to look for rows and to decode them. It takes 3 to 4 us a row.
        """
        for table in tables:
            for full_key, raw in self._backing.scan(table.prefix, after_prefix(table.prefix)):
                if len(self._clean) >= CLEAN_ROWS_LIMIT:
                    return
                self._clean[full_key] = table.decode(raw)

    def write(self, table: Table[Any, Any], key: Any, full_key: bytes, new: Record | None) -> None:
        """Put or, with None, remove one row, and follow it in indexes and structures."""
        self.replace(table, key, full_key, self.read(table, full_key), new)

    def replace(
        self,
        table: Table[Any, Any],
        key: Any,
        full_key: bytes,
        old: Record | None,
        new: Record | None,
    ) -> None:
        """As `write`, for those who have read the row: `old` is what `read` gave."""
        overlay = self._overlay
        before = overlay.get(full_key, MISSING)
        if before is MISSING:
            self._new_keys.append(full_key)
        self.journal.append((full_key, before, old, new, table, key))
        overlay[full_key] = new
        if table.indexes:
            row_key = full_key[PREFIX_BYTES:]
            for index in table.indexes:
                self.move_entry(index, row_key, old, new)
        for derived in table.structures:
            derived.on_write(self.structures[derived], key, new, old)

    def move_entry(
        self, index: Index[Any, Any, Any], row_key: bytes, old: Record | None, new: Record | None
    ) -> None:
        """Bring one index from a row's old place to its new one."""
        was = None if old is None else index.by(old)
        now = None if new is None else index.by(new)
        if was == now:
            return
        if was is not None:
            self.put_entry(index.prefix + encode_by_value(was) + row_key, None)
        if now is not None:
            self.put_entry(index.prefix + encode_by_value(now) + row_key, row_key)

    def put_entry(self, full_key: bytes, row_key: bytes | None) -> None:
        """Write or remove an index entry."""
        before = self._overlay.get(full_key, MISSING)
        if before is MISSING:
            self._new_keys.append(full_key)
        self.journal.append((full_key, before, None, None, None, None))
        self._overlay[full_key] = row_key

    def rollback(self, mark: int) -> None:
        """Take back every write since the journal had `mark` entries, the last one first."""
        journal = self.journal
        while len(journal) > mark:
            full_key, before, old, new, table, key = journal.pop()
            if before is MISSING:
                del self._overlay[full_key]
                if self._new_keys and self._new_keys[-1] is full_key:
                    self._new_keys.pop()
            else:
                self._overlay[full_key] = before
            if table is not None:
                for derived in table.structures:
                    derived.on_write(self.structures[derived], key, old, new)

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, Any]]:
        """Live pairs in order; values are raw bytes from the store or rows from the overlay."""
        assert start[:PREFIX_BYTES] == stop[:PREFIX_BYTES] or start < stop
        if self._new_keys:
            self._order_new_keys()
        ordered = self._ordered.get(start[:PREFIX_BYTES])
        newer, at, end = ordered.between(start, stop) if ordered is not None else ([], 0, 0)
        overlay = self._overlay
        for key, raw in self._backing.scan(start, stop):
            while at < end and newer[at] < key:
                value = overlay.get(newer[at])
                if value is not None:
                    yield newer[at], value
                at += 1
            value = raw
            if at < end and newer[at] == key:
                value = overlay.get(key, raw)
                at += 1
            if value is not None:
                yield key, value
        for place in range(at, end):
            value = overlay.get(newer[place])
            if value is not None:
                yield newer[place], value

    def _order_new_keys(self) -> None:
        """Put the overlay's new keys where ranges find them; most blocks read no range."""
        for full_key in self._new_keys:
            prefix = full_key[:PREFIX_BYTES]
            ordered = self._ordered.get(prefix)
            if ordered is None:
                ordered = self._ordered[prefix] = _Ordered()
            ordered.add(full_key)
        self._new_keys.clear()

    def raw(self, full_key: bytes) -> bytes | None:
        """The bytes of a row, as the trie commits to them, or of an index entry; or None."""
        row = self._overlay.get(full_key, MISSING)
        if row is MISSING:
            return self._backing.get(full_key)
        return row if row is None or type(row) is bytes else encode(row)

    def raw_before(self, full_key: bytes, before: Any) -> bytes | None:
        """The bytes of a row before a write that found `before` in the overlay."""
        if before is MISSING:
            return self._backing.get(full_key)
        return None if before is None else encode(before)

    def difference(
        self,
    ) -> tuple[dict[bytes, bytes | None], dict[bytes, Any], dict[bytes, bytes | None]]:
        """What the journal's writes come to: values, old rows, and H(value) by path for the trie.

        Values and old rows are by full key, None for no row; index entries have a value alone.
        """
        overlay, hash_of = self._overlay, sha256
        values: dict[bytes, bytes | None] = {}
        old_rows: dict[bytes, Any] = {}
        leaves: dict[bytes, bytes | None] = {}
        for full_key, before, old, _, table, _ in self.journal:
            if full_key in values:
                continue
            row = overlay[full_key]
            if table is None:
                values[full_key] = row
                continue
            old_rows[full_key] = self.raw_before(full_key, before) if table.migrates else old
            if row is None:
                values[full_key] = leaves[hash_of(full_key).digest()] = None
            else:
                value = values[full_key] = encode(row)
                leaves[hash_of(full_key).digest()] = hash_of(value).digest()
        return values, old_rows, leaves

    def has_entry(self, full_key: bytes) -> bool:
        """Whether an index entry is live."""
        entry = self._overlay.get(full_key, MISSING)
        return (self._backing.get(full_key) if entry is MISSING else entry) is not None

    def items(self, table: Table[Any, Any]) -> Iterator[tuple[Any, Any]]:
        """Every (key, row) of a table in key order."""
        for full_key, value in self.scan(table.prefix, after_prefix(table.prefix)):
            row = table.decode(value) if type(value) is bytes else value
            yield table.key_of(full_key), row

    def end_block(self) -> list[Written]:
        """The block's journal, for its difference and undo record; the next one starts empty."""
        journal, self.journal = self.journal, []
        return journal

    def flushed(self) -> None:
        """The store now has every row: keep the overlay's rows as a cache and start afresh."""
        assert not self.journal, "a block is being decided"
        rows = {key: row for key, row in self._overlay.items() if type(row) is not bytes}
        self._clean.update(rows)
        if len(self._clean) > CLEAN_ROWS_LIMIT:
            self._older, self._clean = self._clean, {}
        self._overlay.clear()
        self._ordered.clear()
        self._new_keys.clear()


def leaves_of(backing: Backing, tables: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """(path, H(value)) of every committed row of the tables with these prefixes."""
    for prefix in sorted(tables):
        for key, raw in backing.scan(prefix, after_prefix(prefix)):
            yield sha256(key).digest(), sha256(raw).digest()


def after_prefix(prefix: bytes) -> bytes:
    """The first key after all keys with this prefix."""
    trimmed = prefix.rstrip(b"\xff")
    return trimmed[:-1] + bytes([trimmed[-1] + 1])
