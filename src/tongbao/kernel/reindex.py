"""Index entries after an upgrade: a row that migrates may belong elsewhere in an index.

Rows keep the version in which they were written, entries the place that `by` gave to that version.
So a machine that opens on rows of tables with an earlier version lists their entries anew. Indexes
are local and unhashed: no root changes, and a machine that began with the new version has the same.
"""

from __future__ import annotations

from typing import Any

from tongbao.kernel.kernel_module import marks
from tongbao.kernel.module import Index
from tongbao.kernel.registry import Registry
from tongbao.kernel.row_keys import encode_by_value
from tongbao.kernel.state import PREFIX_BYTES, Backing, after_prefix

Entries = dict[bytes, bytes | None]
"""Row keys by an entry's full key; None where an entry is wrong and goes."""


def wrong_entries(registry: Registry, backing: Backing) -> Entries:
    """What to change in the indexes of tables whose records have an earlier version."""
    found: Entries = {}
    for index in registry.indexes.values():
        if index.of.value.previous_version is not None:
            kept = dict(backing.scan(index.prefix, after_prefix(index.prefix)))
            wanted = entries_of(index, backing)
            found |= {entry: None for entry in kept if entry not in wanted}
            found |= {entry: row for entry, row in wanted.items() if entry not in kept}
    return found


def entries_of(index: Index[Any, Any, Any], backing: Backing) -> dict[bytes, bytes]:
    """The entries that an index has by its table's rows, less those that are marked stuck."""
    stuck = {marks.key_of(key) for key, _ in backing.scan(marks.prefix, after_prefix(marks.prefix))}
    wanted = {}
    for full_key, raw in backing.scan(index.of.prefix, after_prefix(index.of.prefix)):
        place, row_key = index.by(index.of.decode(raw)), full_key[PREFIX_BYTES:]
        is_stuck = (index.module.number, index.number, row_key.hex()) in stuck
        if place is not None and not is_stuck:
            wanted[index.prefix + encode_by_value(place) + row_key] = row_key
    return wanted
