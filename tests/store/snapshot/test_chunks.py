"""Chunks of a snapshot: the same for the same rows, each verified alone."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tongbao.kernel.trie import Trie
from tongbao.store.errors import WrongVersion
from tongbao.store.snapshot.chunks import Row, cut, read_chunk, root_of
from tongbao.store.snapshot.errors import BadSnapshot
from tongbao.store.snapshot.manifest import FORMAT, Manifest, read_manifest, write_manifest

SMALL = 200
ROWS: list[Row] = [(b"\0\1\0\1%d" % at, b"value %d" % at) for at in range(60)]
KEYS = st.binary(min_size=1, max_size=20)
STATES = st.dictionaries(KEYS, st.binary(max_size=30), max_size=60)


def trie_of(rows: Sequence[Row]) -> Trie:
    """The trie that a node has of these rows, which decides what the root is."""
    return Trie.load((sha256(key).digest(), sha256(value).digest()) for key, value in rows)


def manifest_of(rows: Sequence[Row]) -> Manifest:
    """The manifest of a snapshot of these rows."""
    chunks = tuple(chunk for chunk, _ in cut(rows, SMALL))
    return Manifest(FORMAT, "demo-01234567", bytes(32), 7, b"header", trie_of(rows).root, chunks)


@given(STATES, st.randoms(use_true_random=False))
def test_the_same_rows_in_any_order_give_the_same_chunks_and_the_root_of_the_trie(
    state: dict[bytes, bytes], random: Random
) -> None:
    """Given rows in two orders.

    When they are cut.
    Then the chunks are byte-equal, make the trie's root, and hold the rows, each verified alone.
    """
    rows = list(state.items())
    shuffled = random.sample(rows, len(rows))

    chunks = list(cut(rows, SMALL))

    assert chunks == list(cut(shuffled, SMALL))
    assert root_of([chunk for chunk, _ in chunks], SMALL) == trie_of(rows).root
    found = [row for chunk, data in chunks for row in read_chunk(chunk, data)]
    assert found == sorted(rows, key=lambda row: sha256(row[0]).digest())


def test_every_flipped_bit_of_a_chunk_is_refused() -> None:
    """Given a state of several chunks.

    When any one bit of a chunk is another, even with a checksum that fits.
    Then it is refused.
    """
    chunks = list(cut(ROWS, SMALL))
    assert len(chunks) > 4
    for chunk, data in chunks[:3]:
        for bit in range(len(data) * 8):
            changed = bytearray(data)
            changed[bit // 8] ^= 1 << bit % 8
            fitting = replace(chunk, sha256=sha256(changed).digest())
            for said in (chunk, fitting):
                with pytest.raises(BadSnapshot):
                    read_chunk(said, bytes(changed))


def test_a_chunk_in_the_place_of_another_is_refused() -> None:
    """Given the bytes of one chunk, said to stand where another does.

    When it is read.
    Then it is refused, because its rows belong elsewhere.
    """
    (first, data), (second, _) = list(cut(ROWS, SMALL))[:2]

    with pytest.raises(BadSnapshot, match="belongs elsewhere"):
        read_chunk(replace(first, prefix=second.prefix), data)


def test_chunks_that_are_cut_otherwise_are_refused() -> None:
    """Given chunks cut smaller than the rule says, twice the same, or one of them missing.

    When their root is asked for.
    Then it is refused.
    """
    chunks = [chunk for chunk, _ in cut(ROWS, SMALL)]

    with pytest.raises(BadSnapshot, match="should be one chunk"):
        root_of(chunks, 1_000_000)
    with pytest.raises(BadSnapshot, match="none twice"):
        root_of([chunks[0], *chunks], SMALL)
    with pytest.raises(BadSnapshot, match="is also part of"):
        root_of([replace(chunks[0], prefix=""), *chunks[1:]], SMALL)
    with pytest.raises(BadSnapshot, match="prefix"):
        root_of([replace(chunks[0], prefix="../0")], SMALL)
    with pytest.raises(BadSnapshot, match="chunks below 0 should be one chunk"):
        root_of(chunks[1:], SMALL)


def test_a_row_larger_than_a_chunk_is_refused() -> None:
    """Given a row that no chunk has room for.

    When the state is cut.
    Then that is told.
    """
    with pytest.raises(BadSnapshot, match="larger than a chunk"):
        list(cut([(b"key", bytes(SMALL))], SMALL))


def test_a_manifest_comes_back_as_it_was() -> None:
    """Given the manifest of a snapshot.

    When it is written and read.
    Then it is the same.
    """
    manifest = manifest_of(ROWS)

    assert read_manifest(write_manifest(manifest), SMALL) == manifest


def test_a_manifest_that_is_not_its_chunks_is_refused() -> None:
    """Given manifests with another root, height, format, spelling or member.

    When they are read.
    Then each is refused.
    """
    manifest = manifest_of(ROWS)
    data = write_manifest(manifest)

    for changed, text in (
        (write_manifest(replace(manifest, root=bytes(32))), "don't make the root"),
        (write_manifest(replace(manifest, height=-1)), "height"),
        (data + b" ", "not written as"),
        (data.replace(b'"height"', b'"more":1,"height"'), "no manifest"),
        (data[:-9], "no manifest"),
        (b"\xff", "no manifest"),
    ):
        with pytest.raises(BadSnapshot, match=text):
            read_manifest(changed, SMALL)
    with pytest.raises(WrongVersion, match="format 2"):
        read_manifest(write_manifest(replace(manifest, format=2)), SMALL)
