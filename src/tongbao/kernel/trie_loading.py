"""Many rows at once: stretches of a trie's buckets, each made on its own, by any process.

A part has the buckets `first` to `first + len(sizes)` of the 4^depth that a trie of its depth has.
Parts that cover them all make the trie (`Trie.of_parts`); no hash is computed twice.
"""

from __future__ import annotations

from array import array
from typing import Final

from msgspec import Struct

from tongbao.kernel.trie_bucket import ENTRY, ROW, subtree_hash, with_leaves

MAX_DEPTH: Final = 12
"""4^12 buckets: room for 67 million rows at four a bucket; above that, buckets grow longer."""

ROWS_PER_BUCKET: Final = 4
"""More rows than this per bucket, on average, and the trie grows by a level."""

NO_ROW, LONE_LEAF, SUBTREE = 0, 1, 2
"""What lies below a node: nothing, one row, or several."""


class Part(Struct, frozen=True, array_like=True, gc=False):
    """Buckets next to one another: how many rows each has, their entries, hashes and kinds.

    `sizes` are unsigned 32-bit integers of this machine: a part never leaves it.
    """

    depth: int
    first: int
    sizes: bytes
    entries: bytes
    hashes: bytes
    kinds: bytes


def depth_for(rows: int, least: int = 2) -> int:
    """The depth at which so many rows have room."""
    depth = least
    while rows > ROWS_PER_BUCKET * 4**depth and depth < MAX_DEPTH:
        depth += 1
    return depth


def make_part(rows: list[bytes], depth: int, first: int, count: int) -> Part:
    """The part of `count` buckets from `first` on, of all rows there are in it, in any order.

    A row is path || H(value); no path comes twice. The list is sorted in place.
    """
    rows.sort()
    entries = with_leaves(rows)
    assert len(entries) == len(rows) * ENTRY
    sizes = _sizes(b"".join(rows), depth, first, count)
    hashes: list[bytes] = []
    at = 0
    for size in sizes:
        stop = at + size * ENTRY
        hashes.append(subtree_hash(entries[at:stop], depth))
        at = stop
    kinds = bytes([min(size, SUBTREE) for size in sizes])
    return Part(depth, first, sizes.tobytes(), entries, b"".join(hashes), kinds)


def _sizes(joined: bytes, depth: int, first: int, count: int) -> array[int]:
    """How many of the sorted rows fall into each bucket."""
    sizes = array("I", bytes(4 * count))
    shift = 24 - 2 * depth
    heads = zip(joined[0::ROW], joined[1::ROW], joined[2::ROW], strict=True)
    for high, middle, low in heads:
        sizes[((high << 16 | middle << 8 | low) >> shift) - first] += 1
    return sizes
