"""The buckets of the state trie: the rows below one node, as sorted 96-byte entries in one `bytes`.

A row is path || H(value), both 32 bytes; its entry is the row and its leaf, which is kept so that a
write near it need not hash it again. Everything here is a function of bytes to bytes; the hashes
are those that `trie_proof` defines.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256

from tongbao.kernel.trie_proof import EMPTY, LEVELS

ROW = 64
"""The bytes of one row."""

ENTRY = 96
"""The bytes of one row and its leaf."""

_DIGITS = tuple(bytes(byte >> shift & 3 for byte in range(256)) for shift in (6, 4, 2, 0))
"""For each of the four digits in a byte: the table that picks it out of every byte."""


def entry_of(row: bytes) -> bytes:
    """A row with its leaf."""
    return row + sha256(b"\x00" + row).digest()


def with_leaves(rows: Iterable[bytes]) -> bytes:
    """The entries of these rows, one after the other."""
    return b"".join(map(entry_of, rows))


def place_of(path: bytes, depth: int) -> int:
    """The bucket that holds `path` when there are 4^depth of them."""
    return int.from_bytes(path[:3]) >> 24 - 2 * depth


def edited(bucket: bytes, path: bytes, value: bytes | None) -> bytes:
    """The bucket with the value at this path set or, with None, removed."""
    assert len(path) == 32 and (value is None or len(value) == 32), path
    at = find(bucket, path)
    if value is None:
        return bucket[:at] + bucket[at + ENTRY :] if at >= 0 else bucket
    entry = entry_of(path + value)
    if at >= 0:
        return bucket[:at] + entry + bucket[at + ENTRY :]
    at = 0
    while at < len(bucket) and bucket[at : at + 32] < path:
        at += ENTRY
    return bucket[:at] + entry + bucket[at:]


def find(bucket: bytes, path: bytes) -> int:
    """Where the entry of `path` starts, or -1."""
    at = bucket.find(path)
    # The same bytes may turn up across entries: only a multiple of an entry is one.
    while at >= 0 and at % ENTRY:
        at = bucket.find(path, at + 1)
    return at


def rows_of(bucket: bytes) -> list[tuple[bytes, bytes]]:
    """The (path, H(value)) of a bucket, in order."""
    starts = range(0, len(bucket), ENTRY)
    return [(bucket[at : at + 32], bucket[at + 32 : at + ROW]) for at in starts]


def split(entries: bytes, level: int) -> tuple[bytes, bytes, bytes, bytes]:
    """Sorted entries that share the digits above `level`, parted by their digit at it."""
    assert level < LEVELS, "two rows with one path"
    digits = digits_at(entries, level)
    one = digits.count(0) * ENTRY
    two = one + digits.count(1) * ENTRY
    three = two + digits.count(2) * ENTRY
    return entries[:one], entries[one:two], entries[two:three], entries[three:]


def digits_at(entries: bytes, level: int) -> bytes:
    """The digit of each entry at a level, a byte each."""
    return entries[level >> 2 :: ENTRY].translate(_DIGITS[level & 3])


@lru_cache(maxsize=4096)
def children_of(digits: bytes) -> tuple[tuple[int, bool, slice], ...]:
    """Per digit that occurs among sorted entries' digits: it, whether once, and which bytes.

    They are those of the only leaf, or of all its entries. Buckets are short and their digits
    ascend, so few patterns occur, again and again.
    """
    found = []
    for taken in range(4):
        count = digits.count(taken)
        start = digits.find(taken) * ENTRY
        if count == 1:
            found.append((taken, True, slice(start + ROW, start + ENTRY)))
        elif count:
            found.append((taken, False, slice(start, start + count * ENTRY)))
    return tuple(found)


def subtree_hash(entries: bytes, level: int) -> bytes:
    """The hash of the subtree at `level` whose rows are these sorted entries."""
    if len(entries) <= ENTRY:
        return entries[ROW:] if entries else EMPTY
    assert level < LEVELS, "two rows with one path"
    children = [EMPTY] * 4
    for taken, is_leaf, where in children_of(
        entries[level >> 2 :: ENTRY].translate(_DIGITS[level & 3])
    ):
        below = entries[where]
        children[taken] = below if is_leaf else subtree_hash(below, level + 1)
    return sha256(b"\x01" + b"".join(children)).digest()
