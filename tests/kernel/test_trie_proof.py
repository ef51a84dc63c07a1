"""Proofs of the state trie show what is there, and nothing else."""

from __future__ import annotations

from hashlib import sha256

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernel.trie_rows import (
    PATHS,
    SPREAD,
    VALUES,
    Rows,
    a_large_trie,
    mixed,
    proof_cases,
    verified,
)
from tongbao.kernel.trie import Trie
from tongbao.kernel.trie_proof import EMPTY, LEVELS, Proof, verify_absence, verify_inclusion


@given(rows=st.dictionaries(st.sampled_from(PATHS), st.sampled_from(VALUES)))
@settings(deadline=None)
def test_proofs_show_what_is_there_and_nothing_else(rows: Rows) -> None:
    """
    Given any rows,
    when every path is proven,
    then a present one verifies with its value alone, an absent one as absent alone.
    """
    trie = Trie.load(rows.items(), 1)
    for path in PATHS:
        proof = trie.prove(path)
        present = [v for v in VALUES if verify_inclusion(trie.root, path, v, proof)]
        assert present == ([rows[path]] if path in rows else [])
        assert verify_absence(trie.root, path, proof) == (path not in rows)
        # A proof may also show the absence of paths nearby, but never hides a row.
        assert not any(verify_absence(trie.root, other, proof) for other in rows)


def test_no_change_of_one_byte_verifies() -> None:
    """
    Given proofs of rows, of empty slots and next to another row,
    when any byte of root, path, value or the proof's JSON is another,
    then the proof is malformed or refused, or, for another path, shows an absence that is true.
    """
    tried = 0
    rows = a_large_trie()[1]
    for _, root, path, value, proof in proof_cases():
        assert verified(root, path, value, proof)
        for at in range(32):
            flip = bytes(at) + b"\x01" + bytes(31 - at)
            assert not verified(mixed(root, flip), path, value, proof)
            if value is not None:
                assert not verified(root, path, mixed(value, flip), proof)
                assert not verified(root, mixed(path, flip), value, proof)
        for row in rows:
            assert not verify_absence(root, row, proof)
            assert value is None or row == path or not verified(root, row, value, proof)
        text = msgspec.json.encode(proof)
        for at, byte in enumerate(text):
            for other in {byte ^ 1, byte ^ 32, ord("0"), ord(" "), ord('"')} - {byte}:
                tried += 1
                damaged = text[:at] + bytes([other]) + text[at + 1 :]
                try:
                    changed = msgspec.json.decode(damaged, type=Proof)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    continue
                assert not verified(root, path, value, changed), damaged
    assert tried > 10_000


def test_paths_and_hashes_of_a_wrong_length_are_refused() -> None:
    """
    Given true proofs,
    when root, path or value hash is a byte short, long, or empty,
    then the answer is no, and nothing is raised.
    """
    for _, root, path, value, proof in proof_cases():
        for change in (lambda text: text[:-1], lambda text: text + b"\x00", lambda text: b""):
            assert not verified(change(root), path, value, proof)
            assert not verified(root, change(path), value, proof)
            assert value is None or not verified(root, path, change(value), proof)


def test_malformed_proofs_are_refused_and_never_raise() -> None:
    """
    Given a true proof of a row and one of an absence,
    when they are spelled otherwise, cut, lengthened or filled with anything,
    then the answer is no.
    """
    for _, root, path, value, proof in proof_cases():
        steps = proof.steps
        first, second, third = steps[0]
        for changed in (
            msgspec.structs.replace(proof, steps=()),
            msgspec.structs.replace(proof, steps=steps[1:]),
            msgspec.structs.replace(proof, steps=steps[:-1]),
            msgspec.structs.replace(proof, steps=(*steps, ("", "", ""))),
            msgspec.structs.replace(proof, steps=(steps[0], *steps)),
            msgspec.structs.replace(proof, steps=((third, second, first), *steps[1:])),
            msgspec.structs.replace(proof, steps=((first.upper(), second, third), *steps[1:])),
            msgspec.structs.replace(proof, steps=((first[:-1] + " ", second, third), *steps[1:])),
            msgspec.structs.replace(proof, steps=((first[:-2], second, third), *steps[1:])),
            msgspec.structs.replace(proof, steps=(("é" * 64, second, third), *steps[1:])),
            msgspec.structs.replace(proof, steps=((first, second), *steps[1:])),
            msgspec.structs.replace(proof, steps=list(steps)),
            msgspec.structs.replace(proof, steps=(7, *steps[1:])),
            msgspec.structs.replace(proof, steps=None),
            msgspec.structs.replace(proof, steps=steps * 200),
            msgspec.structs.replace(proof, leaf_value_hash=None),
            msgspec.structs.replace(proof, leaf_path=None, leaf_value_hash="00" * 32),
            msgspec.structs.replace(proof, leaf_path=path.hex()),
            msgspec.structs.replace(proof, leaf_path=path.hex().upper(), leaf_value_hash=first),
            msgspec.structs.replace(proof, leaf_path=path[:-1].hex(), leaf_value_hash=first),
            msgspec.structs.replace(proof, leaf_path=5, leaf_value_hash=[]),
        ):
            if changed != proof:
                assert not verified(root, path, value, changed), changed


def test_empty_subtrees_have_one_spelling() -> None:
    """
    Given a proof with an empty sibling,
    when its hash is written out as zeros,
    then it is refused though the root would be the same.
    """
    trie = Trie.load([(bytes(32), VALUES[0]), (b"\xff" * 32, VALUES[1])])
    proof = trie.prove(bytes(32))
    last = trie.prove(b"\xff" * 32)
    assert proof.steps[0][:2] == ("", "")
    assert verify_inclusion(trie.root, bytes(32), VALUES[0], proof)
    assert verify_inclusion(trie.root, b"\xff" * 32, VALUES[1], last)
    respelled = ((EMPTY.hex(), "", proof.steps[0][2]),)
    changed = msgspec.structs.replace(proof, steps=respelled)
    assert not verify_inclusion(trie.root, bytes(32), VALUES[0], changed)


def hung(path: bytes, steps: tuple[tuple[str, str, str], ...], end: bytes) -> bytes:
    """The root of a dishonest trie in which `end` hangs below these steps."""
    for level in range(len(steps) - 1, -1, -1):
        children = [bytes.fromhex(text) or EMPTY for text in steps[level]]
        children.insert(int.from_bytes(path, "big") >> (254 - 2 * level) & 3, end)
        end = sha256(b"\x01" + b"".join(children)).digest()
    return end


def test_shapes_that_no_trie_has_are_refused_even_below_their_own_root() -> None:
    """
    Given roots made over impossible nodes,
    when a lone row or nothing hangs below a node of nothing else, a leaf hangs where its path does
    not lead, or the walk is longer than a path,
    then the proofs are refused though their hashes agree with the root.
    """
    path, other, value = SPREAD[2], mixed(SPREAD[2], b"\xc0" + bytes(31)), VALUES[0]
    nothing, something = ("", "", ""), (VALUES[1].hex(), "", "")
    leaf = sha256(b"\x00" + path + value).digest()
    strange = sha256(b"\x00" + other + value).digest()

    for steps in ((nothing,), (something, nothing)):
        proof = Proof(steps, path.hex(), value.hex())
        assert not verify_inclusion(hung(path, steps, leaf), path, value, proof)
        assert not verify_absence(hung(path, steps, EMPTY), path, Proof(steps))

    # The control: the same hash trees are believed where the shape is possible.
    proof = Proof((nothing, something), path.hex(), value.hex())
    assert verify_inclusion(hung(path, proof.steps, leaf), path, value, proof)
    assert verify_absence(hung(path, proof.steps, EMPTY), path, Proof(proof.steps))

    moved = Proof((something,), other.hex(), value.hex())
    assert not verify_absence(hung(path, (something,), strange), path, moved)

    longest = (something,) * LEVELS
    proof = Proof(longest, path.hex(), value.hex())
    assert verify_inclusion(hung(path, longest, leaf), path, value, proof)
    for longer in ((something, *longest), longest * 100):
        assert not verify_inclusion(VALUES[0], path, value, Proof(longer, *longer[0][:2]))
        assert not verify_inclusion(VALUES[0], path, value, Proof(longer, path.hex(), value.hex()))
        assert not verify_absence(VALUES[0], path, Proof(longer))


def test_a_node_is_never_taken_for_a_leaf_nor_a_leaf_for_a_node() -> None:
    """
    Given the root of several rows and the leaf that is the root of one,
    when each is offered as the other kind,
    then it is refused: the first byte and the length of what is hashed differ.
    """
    trie, _ = a_large_trie()
    left, right = trie.prove(SPREAD[3]).steps[0][:2]
    assert not verify_inclusion(
        trie.root, bytes.fromhex(left), bytes.fromhex(right), Proof((), left, right)
    )
    lone = Trie.load([(SPREAD[3], VALUES[0])])
    assert not verify_absence(lone.root, SPREAD[4], Proof(((left, right, ""),)))


def test_proof_is_read_in_json() -> None:
    """
    Given three rows,
    when one is proven, and a path with nothing near it,
    then the JSON names siblings by ascending digit, empties as "", and an empty slot by silence.
    """
    value = VALUES[0]
    trie = Trie.load([(bytes(32), value), (b"\x40" + bytes(31), value), (b"\xff" * 32, value)])
    second = sha256(b"\x00\x40" + bytes(31) + value).hexdigest()
    last = sha256(b"\x00" + b"\xff" * 32 + value).hexdigest()
    first = sha256(bytes(33) + value).hexdigest()
    row = msgspec.json.decode(msgspec.json.encode(trie.prove(bytes(32))))
    absent = msgspec.json.decode(msgspec.json.encode(trie.prove(b"\x80" + bytes(31))))
    assert row == {
        "steps": [[second, "", last]],
        "leaf_path": "00" * 32,
        "leaf_value_hash": value.hex(),
    }
    assert absent == {"steps": [[first, second, last]]}
