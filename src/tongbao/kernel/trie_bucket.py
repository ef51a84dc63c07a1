"""The buckets of the state trie: the rows below one node, as sorted 64-byte entries in one `bytes`.

An entry is path || H(value), both 32 bytes. Everything here is a function of bytes to bytes; the
hashes are those that `trie_proof` defines.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256

from tongbao.kernel.trie_proof import EMPTY, LEVELS

ENTRY = 64
"""The bytes of one row."""

_DIGITS = tuple(bytes(byte >> shift & 3 for byte in range(256)) for shift in (6, 4, 2, 0))
"""For each of the four digits in a byte: the table that picks it out of every byte."""


def place_of(path: bytes, depth: int) -> int:
    """The bucket that holds `path` when there are 4^depth of them."""
    return int.from_bytes(path[:3]) >> 24 - 2 * depth


def edited(bucket: bytes, path: bytes, value: bytes | None) -> bytes:
    """The bucket with the value at this path set or, with None, removed."""
    assert len(path) == 32 and (value is None or len(value) == 32), path
    at = find(bucket, path)
    if at >= 0:
        if value is None:
            return bucket[:at] + bucket[at + ENTRY :]
        return bucket[: at + 32] + value + bucket[at + ENTRY :]
    if value is None:
        return bucket
    at = 0
    while at < len(bucket) and bucket[at : at + 32] < path:
        at += ENTRY
    return bucket[:at] + path + value + bucket[at:]


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
    return [(bucket[at : at + 32], bucket[at + 32 : at + ENTRY]) for at in starts]


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
def runs(digits: bytes) -> tuple[tuple[int, int, int], ...]:
    """Per digit that occurs among sorted entries' digits: it, and from where to where it stands.

    Buckets are short and their digits ascend, so few patterns occur, again and again.
    """
    return tuple(
        (taken, digits.index(taken), digits.rindex(taken) + 1)
        for taken in range(4)
        if taken in digits
    )


def subtree_hash(entries: bytes, level: int) -> bytes:
    """The hash of the subtree at `level` whose rows are these sorted entries."""
    if len(entries) <= ENTRY:
        return sha256(b"\x00" + entries).digest() if entries else EMPTY
    assert level < LEVELS, "two rows with one path"
    children = [EMPTY] * 4
    for taken, start, stop in runs(entries[level >> 2 :: ENTRY].translate(_DIGITS[level & 3])):
        below = entries[start * ENTRY : stop * ENTRY]
        # Spelled out, because most children are lone leaves: a call for each costs a tenth.
        if stop - start == 1:
            children[taken] = sha256(b"\x00" + below).digest()
        else:
            children[taken] = subtree_hash(below, level + 1)
    return sha256(b"\x01" + b"".join(children)).digest()
