"""The binary hash trees of RFC 6962, section 2.1, over the transactions and receipts of a block.

    no leaf          H("")
    one leaf d       H(0x00 || d)
    n leaves         H(0x01 || root of the first k || root of the rest),
                     k the largest power of two below n

H is SHA-256. The last leaf of an odd level is never duplicated, so two lists that differ have
different roots. Building level by level and carrying an odd last node upward gives the same tree
as splitting at k: the left part is always a full tree.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()
"""The root of no leaves at all."""


def root(leaves: Sequence[bytes]) -> bytes:
    """The root of these leaves in this order."""
    if not leaves:
        return EMPTY_ROOT
    level = _leaf_hashes(leaves)
    while len(level) > 1:
        level = _level_above(level)
    return level[0]


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The siblings from leaf `index` upward (RFC 6962, section 2.1.1: its audit path)."""
    return inclusion_proofs(leaves, (index,))[0]


def inclusion_proofs(
    leaves: Sequence[bytes], indexes: Sequence[int]
) -> tuple[tuple[bytes, ...], ...]:
    """The same for several leaves, out of one tree."""
    assert all(0 <= index < len(leaves) for index in indexes), (indexes, len(leaves))
    paths: list[list[bytes]] = [[] for _ in indexes]
    level, height = _leaf_hashes(leaves), 0
    while len(level) > 1:
        for path, index in zip(paths, indexes, strict=True):
            sibling = (index >> height) ^ 1
            if sibling < len(level):
                path.append(level[sibling])
        level, height = _level_above(level), height + 1
    return tuple(map(tuple, paths))


def verify_inclusion(
    root: bytes, leaf: bytes, index: int, size: int, proof: Sequence[bytes]
) -> bool:
    """Whether `proof` shows that leaf `index` of the `size` leaves under `root` is `leaf`.

    Never raises, whatever the numbers and the proof are.
    """
    if not 0 <= index < size:
        return False
    if any(not isinstance(node, bytes) or len(node) != 32 for node in proof):
        return False
    current = sha256(b"\x00" + leaf).digest()
    siblings = iter(proof)
    last = size - 1
    while last:
        # An odd last node has no sibling and is carried upward as it is.
        if index & 1 or index < last:
            sibling = next(siblings, None)
            if sibling is None:
                return False
            pair = sibling + current if index & 1 else current + sibling
            current = sha256(b"\x01" + pair).digest()
        index >>= 1
        last >>= 1
    return next(siblings, None) is None and current == root


def _leaf_hashes(leaves: Sequence[bytes]) -> list[bytes]:
    """The lowest level of the tree."""
    hash_of = sha256
    return [hash_of(b"\x00" + leaf).digest() for leaf in leaves]


def _level_above(level: list[bytes]) -> list[bytes]:
    """Pair the nodes of a level; an odd last one goes up as it is."""
    hash_of = sha256
    even = len(level) & ~1
    above = [
        hash_of(b"\x01" + left + right).digest()
        for left, right in zip(level[0:even:2], level[1:even:2], strict=True)
    ]
    above.extend(level[even:])
    return above
