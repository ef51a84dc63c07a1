"""The block's trees are RFC 6962's, and their proofs prove nothing else."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from tests.golden_file import check_golden
from tongbao.kernel import merkle

LEAVES = [f"leaf {i}".encode() for i in range(40)]


def defined_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + defined_root(leaves[:k]) + defined_root(leaves[k:])).digest()


def defined_path(leaves: list[bytes], index: int) -> list[bytes]:
    """RFC 6962, section 2.1.1, word for word."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if index < k:
        return [*defined_path(leaves[:k], index), defined_root(leaves[k:])]
    return [*defined_path(leaves[k:], index - k), defined_root(leaves[:k])]


@pytest.mark.parametrize("size", range(len(LEAVES) + 1))
def test_root_and_proofs_are_those_of_the_definition(size: int) -> None:
    """
    Given a number of leaves,
    when the tree and the proof of each leaf are made,
    then they are the standard's, and each proof shows its own leaf at its own place alone.
    """
    leaves = LEAVES[:size]
    root = merkle.root(leaves)
    assert root == defined_root(leaves)
    for index, leaf in enumerate(leaves):
        proof = merkle.inclusion_proof(leaves, index)
        assert list(proof) == defined_path(leaves, index)
        shown = [
            (other, place)
            for place in range(-1, size + 1)
            for other in range(size)
            if merkle.verify_inclusion(root, leaves[other], place, size, proof)
        ]
        assert shown == [(index, index)], leaf


def test_damaged_and_hostile_proofs_are_refused_and_never_raise() -> None:
    """
    Given a proof in a tree of 21 leaves,
    when any bit of it or of the root differs, or it is cut, lengthened or malformed, or the index
    is out of range,
    then the answer is no.
    """
    leaves, index, size = LEAVES[:21], 13, 21
    root, proof = merkle.root(leaves), merkle.inclusion_proof(leaves, index)
    leaf = leaves[index]
    for level, node in enumerate(proof):
        for bit in range(256):
            flipped = (int.from_bytes(node, "big") ^ 1 << bit).to_bytes(32, "big")
            changed = (*proof[:level], flipped, *proof[level + 1 :])
            assert not merkle.verify_inclusion(root, leaf, index, size, changed)
    malformed: tuple[Any, ...] = (
        proof[1:],
        proof[:-1],
        (*proof, proof[0]),
        (*proof, root),
        (proof[0] + b"\x00", *proof[1:]),
        (b"", *proof[1:]),
        ("text", *proof[1:]),
        (None, *proof[1:]),
        (),
    )
    for wrong in malformed:
        assert not merkle.verify_inclusion(root, leaf, index, size, wrong)
    for place, of in ((-1, 21), (21, 21), (13, 0), (13, -5), (13, 13), (2**200, 2**201)):
        assert not merkle.verify_inclusion(root, leaf, place, of, proof)
    for other in (b"", root[:-1], root + b"\x00", leaf):
        assert not merkle.verify_inclusion(other, leaf, index, size, proof)


def test_a_node_is_never_taken_for_a_leaf() -> None:
    """
    Given a tree of two leaves,
    when the joined hashes below its root are offered as a leaf,
    then they are refused.
    """
    left, right = (sha256(b"\x00" + leaf).digest() for leaf in LEAVES[:2])
    root = merkle.root(LEAVES[:2])
    assert root == sha256(b"\x01" + left + right).digest()
    assert not merkle.verify_inclusion(root, left + right, 0, 1, ())


def test_repeating_the_last_leaf_changes_the_root() -> None:
    """
    Given an odd number of leaves,
    when the last one is repeated,
    then the root is another: no two lists share one.
    """
    assert merkle.root(LEAVES[:3]) != merkle.root([*LEAVES[:3], LEAVES[2]])


def test_roots_are_the_frozen_ones() -> None:
    """
    Given the leaves "leaf 0", "leaf 1" and so on,
    when roots over some numbers of them are made,
    then they are those of the golden file.
    """
    roots = {str(n): merkle.root(LEAVES[:n]).hex() for n in (0, 1, 2, 3, 4, 5, 7, 8, 9, 21, 40)}
    proof = [node.hex() for node in merkle.inclusion_proof(LEAVES[:21], 20)]
    found = {"leaves": "the texts 'leaf i'", "roots": roots, "proof of 20 in 21": proof}
    check_golden("trie.json", "merkle", found)
