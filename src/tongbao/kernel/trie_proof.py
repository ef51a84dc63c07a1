"""Proofs about the state root: that a row is in the state, or that no row has a path.

The state is a compact 4-ary trie over 32-byte paths, two bits of the path a level, the most
significant first; H is SHA-256:

    no row           32 zero bytes
    one row          H(0x00 || path || H(value)), at whatever depth it stands alone
    two or more      H(0x01 || child 0 || child 1 || child 2 || child 3)

Why a proof can be believed. The first byte and the length of what is hashed keep leaves and nodes
apart, so a root has one reading. A leaf's hash names its whole path but not its depth: a proof
that hangs a leaf where its path does not lead is refused. If the walk along a path ends in an
empty slot, no row lies below it; if it ends in a leaf, that leaf is the only row below it: when it
is another path's, ours is absent. A proof has one spelling: hashes in lowercase hex, and an empty
subtree as "", never as zeros.

This file is all that a verifier elsewhere needs: it knows no trie and no storage.
"""

from __future__ import annotations

from hashlib import sha256

import msgspec

EMPTY = bytes(32)
"""The hash of a subtree without rows."""

LEVELS = 128
"""Two bits a level: 256 bits of path end here, so no walk is longer."""

Siblings = tuple[str, str, str]
"""The other three children of a node, by ascending digit; hex of the hash, or "" if empty."""


class Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A walk along one path from the root to a lone row or an empty slot.

    `steps` run from the root downward. `leaf_path` and `leaf_value_hash` (hex) are those of the
    row at the end, which may be another path's; both are left out when the slot is empty.
    """

    steps: tuple[Siblings, ...]
    leaf_path: str | None = None
    leaf_value_hash: str | None = None


def digit(path: bytes, level: int) -> int:
    """The child, 0 to 3, that `path` takes below a node of this level (the root is level 0)."""
    return path[level >> 2] >> (6 - 2 * (level & 3)) & 3


def leaf_hash(path: bytes, value_hash: bytes) -> bytes:
    """The hash of a subtree whose only row is this one, at any depth."""
    return sha256(b"\x00" + path + value_hash).digest()


def node_hash(children: bytes) -> bytes:
    """The hash of a subtree of two rows or more, from its four children's hashes joined."""
    assert len(children) == 128, len(children)
    return sha256(b"\x01" + children).digest()


def verify_inclusion(root: bytes, path: bytes, value_hash: bytes, proof: Proof) -> bool:
    """Whether `proof` shows that the state under `root` has this row. Never raises."""
    if not (_is_hash(path) and _is_hash(value_hash)):
        return False
    if proof.leaf_path != path.hex() or proof.leaf_value_hash != value_hash.hex():
        return False
    return _root_of(path, proof) == root


def verify_absence(root: bytes, path: bytes, proof: Proof) -> bool:
    """Whether `proof` shows that the state under `root` has no row at `path`. Never raises."""
    if not _is_hash(path) or proof.leaf_path == path.hex():
        return False
    return _root_of(path, proof) == root


def _root_of(path: bytes, proof: Proof) -> bytes | None:
    """The root of a trie that `proof` could come from; None if there is no such trie."""
    steps = proof.steps
    if not isinstance(steps, tuple) or len(steps) > LEVELS:
        return None
    current = _end_of(path, proof)
    for level in range(len(steps) - 1, -1, -1):
        siblings = _siblings_of(steps[level])
        if current is None or siblings is None:
            return None
        # A lone row, or none, hangs directly below a node only beside another row.
        if level == len(steps) - 1 and siblings == [EMPTY, EMPTY, EMPTY]:
            return None
        siblings.insert(digit(path, level), current)
        current = node_hash(b"".join(siblings))
    return current


def _end_of(path: bytes, proof: Proof) -> bytes | None:
    """The hash at the end of the walk; None if malformed or not on the way that `path` takes."""
    if proof.leaf_path is None and proof.leaf_value_hash is None:
        return EMPTY
    leaf_path, value_hash = _hash_of_hex(proof.leaf_path), _hash_of_hex(proof.leaf_value_hash)
    if leaf_path is None or value_hash is None:
        return None
    if any(digit(leaf_path, level) != digit(path, level) for level in range(len(proof.steps))):
        return None
    return leaf_hash(leaf_path, value_hash)


def _siblings_of(step: object) -> list[bytes] | None:
    """The three hashes of a step; None if it is spelled in any other way than ours."""
    if not isinstance(step, tuple) or len(step) != 3:
        return None
    found = [EMPTY if text == "" else _hash_of_hex(text) for text in step]
    # Zeros written out would be a second spelling of an empty subtree.
    if EMPTY.hex() in step:
        return None
    hashes = [value for value in found if value is not None]
    return hashes if len(hashes) == len(found) else None


def _hash_of_hex(text: object) -> bytes | None:
    """The 32 bytes that 64 lowercase hex characters name; None for anything else."""
    if not isinstance(text, str) or len(text) != 64:
        return None
    try:
        value = bytes.fromhex(text)
    except ValueError:
        return None
    # `fromhex` also takes capitals and blanks.
    return value if value.hex() == text else None


def _is_hash(value: object) -> bool:
    """Whether this is 32 bytes."""
    return isinstance(value, bytes) and len(value) == 32
