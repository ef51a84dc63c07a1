"""A batch in a store: sealed, of a size that tells nothing, and held to its commitment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.rights.material import NOTE, batch, fixed, rows
from tongbao.rights.at_rest import StoredBatch, load_batch, store_batch, wrap_key
from tongbao.rights.batch import batch_is_true, commitment_of, repeated_events
from tongbao.rights.chunks import DoesNotOpen, seal_chunks
from tongbao.rights.schema import SchemaName

OWNER = fixed("owner's key")


def test_the_owner_gets_back_what_was_stored() -> None:
    """Given batches of none, one and many rows, when stored and loaded, then the same again."""
    for count in (0, 1, 60, 2_000):
        one = batch(count)
        assert load_batch(store_batch(one, OWNER), OWNER) == one


def test_one_row_and_sixty_have_the_same_size_and_nothing_in_the_clear() -> None:
    """Given a person with 1 row and one with 60, when stored, then equal sizes and no value."""
    stored = [store_batch(batch(count), OWNER) for count in (1, 60)]
    assert [[len(chunk) for chunk in one.chunks] for one in stored] == [[65_552], [65_552]]
    assert [len(one.wrapped_key) for one in stored] == [40, 40]
    for one in stored:
        assert NOTE.encode() not in b"".join((*one.chunks, one.wrapped_key, one.commitment))


def test_every_batch_has_a_key_of_its_own() -> None:
    """Given one batch stored twice, when compared, then neither key nor chunk is the same."""
    one, other = store_batch(batch(), OWNER), store_batch(batch(), OWNER)
    assert one.commitment == other.commitment
    assert one.wrapped_key != other.wrapped_key and one.chunks != other.chunks


def test_a_store_that_returns_other_bytes_is_found_out() -> None:
    """Given a stored batch, when the store mixes or changes its parts, then it does not open."""
    october, november = store_batch(batch(), OWNER), store_batch(batch(5, "2026-11"), OWNER)
    wrong = (
        replace(october, chunks=november.chunks),
        replace(october, wrapped_key=november.wrapped_key),
        replace(october, chunks=november.chunks, wrapped_key=november.wrapped_key),
        replace(november, commitment=october.commitment),
        replace(october, wrapped_key=b""),
        replace(october, wrapped_key=bytes(40)),
        replace(october, chunks=()),
        replace(october, chunks=october.chunks * 2),
        replace(october, chunks=october.chunks * 2_048),
    )
    for one in wrong:
        with pytest.raises(DoesNotOpen):
            load_batch(one, OWNER)
    with pytest.raises(DoesNotOpen, match="not wrapped by this owner"):
        load_batch(october, fixed("another owner"))


def test_an_agent_tells_a_batch_that_does_not_hold_together() -> None:
    """Given a batch, when a row, the secret or the schema is another, then it is not true."""
    good = batch()
    assert batch_is_true(good)
    other = replace(good.rows[0], values=("2026-10-01", 99, "", True))
    assert not batch_is_true(replace(good, rows=(other, *good.rows[1:])))
    assert not batch_is_true(replace(good, rows=good.rows[:4]))
    assert not batch_is_true(replace(good, secret=fixed("other")))
    assert not batch_is_true(
        replace(good, schema=replace(good.schema, name=SchemaName("supper.1")))
    )
    bad_value = replace(good.rows[0], values=("2026-10-32", 1, "", True))
    assert not batch_is_true(replace(good, rows=(bad_value, *good.rows[1:])))
    lying = store_batch(replace(good, rows=good.rows[:4]), OWNER)
    with pytest.raises(DoesNotOpen, match="not the one of its commitment"):
        load_batch(lying, OWNER)
    assert commitment_of(good.header) == commitment_of(replace(good, rows=()).header)


def test_what_was_sealed_by_somebody_else_must_be_a_batch() -> None:
    """Given texts under the owner's own key that are no batch, when loaded, then refused."""
    good = store_batch(batch(), OWNER)
    key = fixed("key")
    for text in (b"", b"[]", b"{}", b"[" * 9_000, b"\xff", b'{"header":{}}'):
        chunks = tuple(seal_chunks(key, good.commitment, (text,), len(text), 1))
        wrapped = wrap_key(OWNER, good.commitment, key)
        stored = StoredBatch(commitment=good.commitment, wrapped_key=wrapped, chunks=chunks)
        with pytest.raises(DoesNotOpen, match="what was sealed is no batch"):
            load_batch(stored, OWNER)


def test_an_event_that_two_batches_tell_of_is_found() -> None:
    """Given an event sold in October and again in November, when looked for, then it is named."""
    october = batch(3)
    november = replace(batch(0, "2026-11"), rows=rows(5)[2:])
    assert repeated_events([october, november]) == (rows(3)[2].event,)
    assert repeated_events([october, replace(november, rows=rows(5)[3:])]) == ()


@given(st.integers(0, 65_551), st.integers(1, 255))
def test_no_changed_byte_of_a_stored_batch_goes_unnoticed(at: int, mask: int) -> None:
    """Given a stored batch, when any byte is changed, then it does not open."""
    stored = store_batch(batch(), OWNER)
    data = bytearray(stored.chunks[0])
    data[at] ^= mask
    with pytest.raises(DoesNotOpen):
        load_batch(replace(stored, chunks=(bytes(data),)), OWNER)
