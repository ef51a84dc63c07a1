"""The state trie equals its recursive definition, whatever its history, depth and growth."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.golden_file import check_golden
from tests.kernel.trie_rows import (
    CLOSE,
    HALF,
    PATHS,
    SPREAD,
    VALUES,
    Rows,
    a_large_trie,
    defined_root,
    hashed,
    proof_cases,
)
from tongbao.kernel.trie import Trie, Undo
from tongbao.kernel.trie_loading import MAX_DEPTH, ROWS_PER_BUCKET
from tongbao.kernel.trie_proof import EMPTY, Proof

Changes = dict[bytes, bytes | None]
PROVEN = [*SPREAD[:6], *CLOSE[1:4], *HALF, bytes(32)]


a_block = st.dictionaries(
    st.sampled_from(PATHS), st.none() | st.sampled_from(VALUES), max_size=len(PATHS)
)


a_history = st.lists(a_block, min_size=1, max_size=7)
a_depth = st.integers(0, 3)


def applied(rows: Rows, changes: Mapping[bytes, bytes | None]) -> Rows:
    """The rows after the changes, in a plain dict."""
    merged = {**rows, **changes}
    return {path: value for path, value in merged.items() if value is not None}


def proofs(trie: Trie, behind: tuple[Undo, ...] = ()) -> list[Proof]:
    """Proofs of paths of every kind."""
    return [trie.prove(path, behind) for path in PROVEN]


@given(history=a_history, depth=a_depth)
@settings(deadline=None)
def test_root_is_the_recursive_definition_after_every_update(
    history: list[Changes], depth: int
) -> None:
    """
    Given any history and any depth to begin with,
    when each block of it is applied,
    then root, length and rows are those of the definition over a plain dict.
    """
    trie, rows = Trie(depth), dict[bytes, bytes]()
    for changes in history:
        trie.update(changes)
        rows = applied(rows, changes)
        assert (trie.root, len(trie)) == (defined_root(rows), len(rows))
        assert [trie.get(path) for path in PATHS] == [rows.get(path) for path in PATHS]


@given(history=a_history, depth=a_depth, random=st.randoms(use_true_random=False))
@settings(deadline=None)
def test_same_rows_have_one_root_and_one_proof_whatever_their_history(
    history: list[Changes], depth: int, random: Random
) -> None:
    """
    Given a trie with a history,
    when another of another depth is loaded from its rows in another order,
    then both have the same root and give the same proofs.
    """
    trie, rows = Trie(), dict[bytes, bytes]()
    for changes in history:
        trie.update(changes)
        rows = applied(rows, changes)
    items = list(rows.items())
    random.shuffle(items)
    loaded = Trie.load(items, depth)
    assert (loaded.root, len(loaded), proofs(loaded)) == (trie.root, len(trie), proofs(trie))


@given(history=a_history, depth=a_depth)
@settings(deadline=None)
def test_undo_brings_back_root_rows_and_proofs_through_growth(
    history: list[Changes], depth: int
) -> None:
    """
    Given the records of a history that makes the trie grow,
    when they are reverted newest first,
    then root, rows and proofs are what they were, and the same blocks give the same roots again.
    """
    trie = Trie(depth)
    before, undos = [], []
    for changes in history:
        before.append((trie.root, len(trie), proofs(trie)))
        undos.append(trie.update(changes))
    last = trie.root
    for state, undo in zip(reversed(before), reversed(undos), strict=True):
        trie.undo(undo)
        assert (trie.root, len(trie), proofs(trie)) == state
    for changes in history:
        trie.update(changes)
    assert trie.root == last


@given(history=a_history, depth=a_depth)
@settings(deadline=None)
def test_proof_behind_records_is_the_proof_of_that_time(history: list[Changes], depth: int) -> None:
    """
    Given the records of a history that makes the trie grow,
    when a path is proven as of before any of the blocks,
    then the proof is the one that was given then, and the trie is untouched.
    """
    trie = Trie(depth)
    then, undos = [], []
    for changes in history:
        then.append(proofs(trie))
        undos.append(trie.update(changes))
    now = (trie.root, proofs(trie))
    for height in range(len(history)):
        assert proofs(trie, tuple(reversed(undos[height:]))) == then[height]
    assert (trie.root, proofs(trie)) == now


def test_removing_what_is_absent_and_writing_what_is_there_change_nothing() -> None:
    """
    Given a trie with rows,
    when an absent path is removed and a row gets the value it has,
    then the record holds nothing and the root is the same.
    """
    trie, rows = a_large_trie()
    root, path = trie.root, SPREAD[5]
    undo = trie.update({hashed("absent"): None, path: rows[path]})
    assert (trie.root, undo.root, undo.root_after, undo.buckets) == (root, root, root, ())
    trie.undo(undo)
    assert trie.root == root


def test_trie_grows_with_its_rows_and_not_with_its_writes() -> None:
    """
    Given a trie of depth 0 that is filled row by row, then overwritten as a whole,
    when rows outnumber the buckets four to one,
    then it is one level deeper, and neither overwriting nor removing changes its depth.
    """
    trie, rows = Trie(0), dict[bytes, bytes]()
    for i in range(5 * ROWS_PER_BUCKET):
        assert trie.depth == (0 if len(rows) <= ROWS_PER_BUCKET else 1 if len(rows) <= 16 else 2)
        rows[hashed(f"row {i}")] = VALUES[0]
        trie.update({hashed(f"row {i}"): VALUES[0]})
        assert trie.root == defined_root(rows)
    trie.update(dict.fromkeys(rows, VALUES[1]))
    assert (trie.depth, trie.root) == (2, defined_root(dict.fromkeys(rows, VALUES[1])))
    undo = trie.update(dict.fromkeys(rows))
    assert (trie.depth, trie.root, len(trie)) == (2, EMPTY, 0)
    trie.undo(undo)
    assert len(trie) == len(rows)


def test_a_block_that_grows_a_trie_by_many_levels_is_undone_and_seen_through() -> None:
    """
    Given ten rows and then a block of 20,000,
    when the trie is asked for the state before the block, and then reverts it and the ten,
    then proofs and roots are exactly those before.
    """
    trie = Trie(0)
    few = dict.fromkeys(SPREAD[:10], VALUES[0])
    first = trie.update(few)
    before, root = proofs(trie), trie.root
    many = {hashed(f"many {i}"): VALUES[1] for i in range(20_000)}
    second = trie.update({**many, SPREAD[0]: None})
    assert trie.depth == 7
    assert trie.root == Trie.load(applied(few, {**many, SPREAD[0]: None}).items()).root
    assert proofs(trie, (second,)) == before
    assert proofs(trie, (second, first)) == [Proof(())] * len(PROVEN)
    trie.undo(second)
    assert (trie.root, proofs(trie)) == (root, before)
    trie.undo(first)
    assert (trie.root, len(trie)) == (EMPTY, 0)


def test_a_long_seeded_history_equals_a_load_of_its_rows() -> None:
    """
    Given 60 seeded blocks of inserts, updates and removals of up to 200 rows,
    when some candidates are discarded on the way,
    then the root is that of a trie loaded from the rows, and of the definition.
    """
    random = Random(7)
    trie, rows = Trie(), dict[bytes, bytes]()
    discarded = 0
    for block in range(60):
        changes: Changes = {}
        for _ in range(random.randrange(200)):
            path = hashed(f"row {random.randrange(2500)}")
            changes[path] = None if random.random() < 0.2 else hashed(f"{block}")
        undo = trie.update(changes)
        if random.random() < 0.3:
            trie.undo(undo)
            discarded += 1
        else:
            rows = applied(rows, changes)
    assert discarded > 0 < len(rows)
    assert trie.root == Trie.load(rows.items(), 5).root == defined_root(rows)


def test_records_out_of_order_stop_the_node() -> None:
    """
    Given two records,
    when the older is reverted first, or a proof skips the newer,
    then an assertion stops it: our bug, not a user's.
    """
    trie = Trie()
    older = trie.update({SPREAD[0]: VALUES[0]})
    newer = trie.update({SPREAD[1]: VALUES[0]})
    with pytest.raises(AssertionError, match="newest first"):
        trie.undo(older)
    for behind in ((older,), (older, newer), (newer, newer)):
        with pytest.raises(AssertionError, match="without a gap"):
            trie.prove(SPREAD[0], behind)
    with pytest.raises(AssertionError):
        Trie(MAX_DEPTH + 1)


def test_roots_and_proofs_are_the_frozen_ones() -> None:
    """
    Given sets of rows that anybody can make again,
    when their roots and a proof of each kind are made,
    then they are those of the golden file.
    """
    roots = {}
    for count in (0, 1, 2, 3, 4, 5, 16, 64, 65, 257, 1000):
        rows = {hashed(f"path {i}"): hashed(f"value {i}") for i in range(count)}
        roots[str(count)] = Trie.load(rows.items()).root.hex()
        assert Trie.load(rows.items()).root == defined_root(rows)
    cases = [
        {
            "shows": what,
            "root": root.hex(),
            "path": path.hex(),
            "value_hash": None if value is None else value.hex(),
            "proof": msgspec.to_builtins(proof),
        }
        for what, root, path, value, proof in proof_cases()
    ]
    frozen = msgspec.json.decode(msgspec.json.encode(cases))
    rule = "path and value hash of row i: SHA-256 of the texts 'path i' and 'value i'"
    found = {"rows": rule, "roots": roots, "proofs": frozen}
    check_golden("trie.json", "trie", found)
