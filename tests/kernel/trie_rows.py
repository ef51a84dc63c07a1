"""Rows to try the state trie on, its definition, and a proof of each kind."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

from tongbao.kernel.trie import Trie
from tongbao.kernel.trie_proof import Proof, verify_absence, verify_inclusion

Rows = dict[bytes, bytes]
ProofCase = tuple[str, bytes, bytes, bytes | None, Proof]


def hashed(text: str) -> bytes:
    """SHA-256 of a text."""
    return sha256(text.encode()).digest()


def defined_root(rows: Rows, level: int = 0) -> bytes:
    """The recursive definition, word for word."""
    if not rows:
        return bytes(32)
    if len(rows) == 1:
        ((path, value_hash),) = rows.items()
        return sha256(b"\x00" + path + value_hash).digest()
    children: list[Rows] = [{}, {}, {}, {}]
    for path, value_hash in rows.items():
        children[int.from_bytes(path, "big") >> (254 - 2 * level) & 3][path] = value_hash
    return sha256(b"\x01" + b"".join(defined_root(c, level + 1) for c in children)).digest()


# Paths far apart, paths that share all but the last digits, and both ends of the range. A value
# may equal a path, so that a path's bytes also turn up where no entry begins.
SPREAD = [hashed(f"path {i}") for i in range(40)]
CLOSE = [SPREAD[0][:31] + bytes([end]) for end in (0, 1, 4, 64, 255)]
HALF = [SPREAD[1][:16] + bytes([end]) * 16 for end in (0, 7)]
PATHS = [*SPREAD, *CLOSE, *HALF, bytes(32), b"\xff" * 32]
VALUES = [hashed(f"value {i}") for i in range(5)] + PATHS[:3] + [bytes(32)]


def a_large_trie() -> tuple[Trie, Rows]:
    """A few hundred rows, some of whose paths lie close together."""
    rows = {hashed(f"row {i}"): hashed(f"state {i}") for i in range(300)}
    rows.update(dict.fromkeys(PATHS[1:], VALUES[0]))
    return Trie.load(rows.items()), rows


def proof_cases() -> list[ProofCase]:
    """What is proven, root, path, value hash or None, and the proof: one of each kind."""
    trie, rows = a_large_trie()
    cases: list[ProofCase] = [
        ("a row", trie.root, path, rows[path], trie.prove(path)) for path in CLOSE[:2]
    ]
    cases.append(("a row", trie.root, bytes(32), rows[bytes(32)], trie.prove(bytes(32))))
    kinds: Counter[str] = Counter()
    for path in map(hashed, "abcdefghijklmnopqrstuvwxyz"):
        proof = trie.prove(path)
        kind = "an empty slot" if proof.leaf_path is None else "another row"
        if kinds[kind] < 2:
            cases.append((kind, trie.root, path, None, proof))
        kinds[kind] += 1
    assert min(kinds["an empty slot"], kinds["another row"]) >= 2
    return cases


def verified(root: bytes, path: bytes, value: bytes | None, proof: Proof) -> bool:
    """Whether the proof shows the row, or its absence where there is no value."""
    if value is None:
        return verify_absence(root, path, proof)
    return verify_inclusion(root, path, value, proof)


def mixed(first: bytes, second: bytes) -> bytes:
    """The exclusive or of two hashes."""
    return bytes(a ^ b for a, b in zip(first, second, strict=True))
