"""Parts of a trie that are made on their own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.kernel.trie_rows import PATHS, VALUES, Rows, defined_root, hashed
from tongbao.kernel.trie import Trie
from tongbao.kernel.trie_bucket import place_of
from tongbao.kernel.trie_loading import Part, depth_for, make_part

some_rows = st.dictionaries(st.sampled_from(PATHS), st.sampled_from(VALUES))


def parts_of(rows: Rows, depth: int, count: int) -> list[Part]:
    """All rows of a trie in so many parts, each made of entries in no order."""
    width = 4**depth // count
    return [
        make_part(
            [
                path + value
                for path, value in reversed(rows.items())
                if place_of(path, depth) // width == at
            ],
            depth,
            at * width,
            width,
        )
        for at in range(count)
    ]


@given(rows=some_rows, depth=st.integers(1, 4), count=st.sampled_from([1, 2, 4]))
def test_parts_make_the_trie_of_the_definition(rows: Rows, depth: int, count: int) -> None:
    """
    Given any rows, a depth and a number of parts,
    when each part is made alone and they are put together,
    then root, length, rows and proofs are those of a trie that was loaded at once.
    """
    trie, one = Trie.of_parts(parts_of(rows, depth, count)), Trie.load(rows.items(), depth)
    assert (trie.root, len(trie)) == (defined_root(rows), len(rows))
    assert [trie.get(path) for path in PATHS] == [rows.get(path) for path in PATHS]
    assert [trie.prove(path) for path in PATHS] == [one.prove(path) for path in PATHS]


@given(before=some_rows, after=some_rows)
def test_a_trie_of_parts_goes_on_like_any_other(before: Rows, after: Rows) -> None:
    """
    Given a trie made of two parts,
    when rows are set and removed, and that is undone,
    then its roots are those of the definition.
    """
    trie = Trie.of_parts(parts_of(before, 2, 2))
    undo = trie.update({**dict.fromkeys(before), **after})
    assert trie.root == defined_root(after)
    trie.undo(undo)
    assert trie.root == defined_root(before)


def test_depth_leaves_room_for_four_rows_a_bucket() -> None:
    """
    Given numbers of rows,
    when the depth for them is asked,
    then it is the least with four rows a bucket on average, and never above twelve.
    """
    rows = [0, 64, 65, 256, 257, 4 * 4**12, 4 * 4**12 + 1]
    assert list(map(depth_for, rows)) == [2, 2, 3, 3, 4, 12, 12]


def test_many_rows_in_one_bucket_are_hashed_as_the_definition_says() -> None:
    """
    Given two hundred rows and a single bucket,
    when the part is made,
    then it has one node, the root.
    """
    rows = {hashed(f"row {at}"): hashed(f"value {at}") for at in range(200)}
    part = make_part([path + value for path, value in rows.items()], 0, 0, 1)
    assert (part.hashes, part.kinds) == (defined_root(rows), b"\2")
