"""Many rows at once: stretches of a trie's buckets, each made on its own, by any process.

A part has the buckets `first` to `first + len(sizes)` of the 4^depth that a trie of its depth has.
Parts that cover them all make the trie (`Trie.of_parts`); no hash is computed twice.
"""

from __future__ import annotations

from array import array
from hashlib import sha256
from typing import Final

from msgspec import Struct

from tongbao.kernel.trie_bucket import ENTRY, digits_at, runs, subtree_hash
from tongbao.kernel.trie_proof import EMPTY

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


def make_part(entries: list[bytes], depth: int, first: int, count: int) -> Part:
    """The part of `count` buckets from `first` on, of all entries there are in it, in any order.

    An entry is path || H(value); no path comes twice. The list is sorted in place.
    """
    entries.sort()
    joined = b"".join(entries)
    assert len(joined) == len(entries) * ENTRY
    sizes = _sizes(joined, depth, first, count)
    leaves = [sha256(b"\x00" + entry).digest() for entry in entries]
    digits = digits_at(joined, depth)
    hashes: list[bytes] = []
    at = 0
    for size in sizes:
        stop = at + size
        if size == 0:
            hashes.append(EMPTY)
        elif size == 1:
            hashes.append(leaves[at])
        else:
            children = [EMPTY] * 4
            for taken, start, end in runs(digits[at:stop]):
                children[taken] = (
                    leaves[at + start]
                    if end - start == 1
                    else subtree_hash(joined[(at + start) * ENTRY : (at + end) * ENTRY], depth + 1)
                )
            hashes.append(sha256(b"\x01" + b"".join(children)).digest())
        at = stop
    kinds = bytes([min(size, SUBTREE) for size in sizes])
    return Part(depth, first, sizes.tobytes(), joined, b"".join(hashes), kinds)


def _sizes(joined: bytes, depth: int, first: int, count: int) -> array[int]:
    """How many of the sorted entries fall into each bucket."""
    sizes = array("I", bytes(4 * count))
    shift = 24 - 2 * depth
    heads = zip(joined[0::ENTRY], joined[1::ENTRY], joined[2::ENTRY], strict=True)
    for high, middle, low in heads:
        sizes[((high << 16 | middle << 8 | low) >> shift) - first] += 1
    return sizes
