"""Copies: what an agent gets of a batch, and that it can sell no field beyond."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.rights.material import HALVES, ORDER, SCHEMA, SOURCE, SUBJECT, batch, fixed, honest
from tests.rights.test_attestation import SEED
from tests.rights.test_properties import FIELD_SETS, VALUES, batch_of, spellings
from tongbao.kernel.identifiers import Address, Hash, Id
from tongbao.rights.attestation import Attestation, sign_attestation
from tongbao.rights.batch import Batch, Origin, Period, commitment_of, make_batch, repeated_events
from tongbao.rights.copies import BadCopy, Copy, copy_text, read_copy
from tongbao.rights.judge import Verdict
from tongbao.rights.package_text import package_bytes, package_lines
from tongbao.rights.schema import BadRow, Field, Row, Schema, event_hash
from tongbao.rights.seal import Sealed, seal_package

NAMES = tuple(str(field.name) for field in SCHEMA.fields)
OWNER = Address("33" * 20)
BATCH = Id("44" * 20)


def attestation_of(one: Batch, **changed: Any) -> bytes:
    """The source's JWS of a batch."""
    header = one.header
    attestation = Attestation(
        about="person",
        batch=Hash(commitment_of(header).hex()),
        iat=1_793_000_000,
        iss=header.source,
        method="scan",
        period=header.period,
        schema=header.schema,
        sub=header.subject,
        version=1,
    )
    return sign_attestation(replace(attestation, **changed), SEED)


def text_of(one: Batch, *fields: str) -> bytes:
    """The text of an attested copy."""
    return copy_text(one, fields, batch_id=BATCH, owner=OWNER, attestation=attestation_of(one))


def copied(one: Batch, *fields: str) -> Copy:
    """What an agent reads."""
    return read_copy(text_of(one, *fields))


def package_of(batches: list[Batch] | list[Copy], fields: tuple[str, ...]) -> tuple[Sealed, bytes]:
    """What is sealed of them."""
    chunks: list[bytes] = []
    sealed = seal_package(ORDER, HALVES, batches, fields, chunks.append)
    return sealed, b"".join(chunks)


def test_an_agent_reads_what_the_person_gave() -> None:
    """Given a copy of two fields, when read, then whose it is, what is open, and the commitment."""
    one = batch(3)
    copy = copied(one, "eggs", "day")
    assert (copy.batch, copy.owner, copy.cells) == (BATCH, OWNER, SCHEMA.cells)
    assert copy.attestation == attestation_of(one)
    assert copy.commitment == commitment_of(one.header)
    assert copy.fields == ("day", "eggs") and copy.events == one.events
    values = [tuple(row) for row in copy.values_at((1, 2))]
    assert values == [row.values[:2] for row in one.rows]


def test_rows_that_a_person_told_itself_come_without_an_attestation() -> None:
    """Given a batch of the owner's own, when copied without JWS, then read; another's is not."""
    origin = Origin(period=Period("2026-10"), source=OWNER, subject=SUBJECT)
    own = make_batch(SCHEMA, origin, batch(2).rows, fixed("secret"), fixed("salt")[:16])
    text = copy_text(own, ("eggs",), batch_id=BATCH, owner=OWNER, attestation=None)
    assert b"attestation" not in text and read_copy(text).attestation is None
    bare = copy_text(batch(2), ("eggs",), batch_id=BATCH, owner=OWNER, attestation=None)
    with pytest.raises(BadCopy, match="come with its attestation"):
        read_copy(bare)


@given(st.lists(VALUES, max_size=6), FIELD_SETS, st.data())
def test_a_package_of_copies_is_that_of_the_batches(
    values: list[tuple[str, int, str, bool]], offered: list[str], data: st.DataObject
) -> None:
    """Given copies of offered fields, when some of these are sold, then the very same bytes."""
    months = [batch_of(values), batch(2, "2026-11"), batch(0, "2026-12")]
    sold = tuple(data.draw(st.lists(st.sampled_from(offered or ["eggs"]), unique=True)))
    sold = tuple(name for name in sold if name in offered)
    copies = [copied(month, *offered) for month in months]
    assert package_of(copies, sold) == package_of(months, sold)
    text = b"".join(package_lines(copies, sold))
    assert package_bytes(copies, sold) == len(text)
    assert text == b"".join(package_lines(months, sold))
    assert honest(*months, fields=sold).verdict() is Verdict.OK


@given(FIELD_SETS, st.integers(0, 2**64 - 1))
def test_a_copy_never_has_a_value_of_a_field_that_was_not_named(
    fields: list[str], seed: int
) -> None:
    """Given a canary in every field, when some are copied, then others' values are nowhere."""
    schema = Schema(SCHEMA.name, tuple(Field(field.name, "text") for field in SCHEMA.fields))
    canaries = {name: fixed(f"{seed} {name}").hex()[:24] for name in NAMES}
    row = Row(event_hash(fixed("source"), b"1"), tuple(canaries.values()))
    origin = Origin(period=Period("2026-10"), source=SOURCE, subject=SUBJECT)
    one = make_batch(schema, origin, [row], fixed("secret"), fixed("salt")[:16])
    text = text_of(one, *fields)
    for name, canary in canaries.items():
        assert any(spelled in text for spelled in spellings(canary)) == (name in fields)
    assert one.secret not in text and one.secret.hex().encode() not in text


def test_a_field_that_the_copy_hides_is_never_sold() -> None:
    """Given a copy of eggs, when notes or the event are asked for, then refused; nothing comes."""
    copy = copied(batch(3), "eggs")
    for fields in (("note",), ("eggs", "note"), ("event",), ("supper",), ("eggs", "eggs")):
        chunks: list[bytes] = []
        with pytest.raises(BadRow):
            seal_package(ORDER, HALVES, [copy], fields, chunks.append)
        assert not chunks
    with pytest.raises(BadRow, match=f"hidden in the copy of batch {BATCH}: note"):
        list(copy.project(frozenset((3,))))


def test_the_event_of_a_row_is_open_in_a_copy_and_in_no_package() -> None:
    """Given a copy, when repeats are looked for, then found; its package has events as hashes."""
    one, november = batch(3), replace(batch(0, "2026-11"), rows=())
    again = make_batch(
        SCHEMA,
        Origin(period=Period("2026-11"), source=SOURCE, subject=SUBJECT),
        batch(5).rows[2:],
        fixed("another secret"),
        fixed("salt")[:16],
    )
    assert repeated_events([copied(one), copied(again)]) == (one.events[2],)
    assert repeated_events([copied(one), copied(november)]) == ()
    text = b"".join(package_lines([copied(one, *NAMES)], NAMES))
    assert not any(event.encode() in text for event in one.events)
    assert all(event.encode() in text_of(one) for event in one.events)


def test_in_a_month_without_rows_nothing_is_hidden() -> None:
    """Given a copy of no rows, when asked, then all fields are open, and any can be sold."""
    copy = copied(batch(0), "eggs")
    assert copy.fields == NAMES and copy.events == ()
    assert package_of([copy], NAMES) == package_of([batch(0)], NAMES)


def damaged() -> dict[str, bytes]:
    """Copies that must not be read."""
    one = batch(3)
    good = text_of(one, "day", "eggs")
    head, _, body = good.partition(b"\n")
    lines = body.split(b"\n")
    salted = next(line for line in lines if b"2026-10-02" in line)
    (hidden,) = (line for line in text_of(one, "day").split(b"\n") if b"2026-10-02" in line)
    no_event = b"".join(package_lines([one], ("day", "eggs")))
    other = attestation_of(batch(3, "2026-11"))
    return {
        "a value is altered": good.replace(b",1],", b",2],"),
        "a row is left out": good.replace(salted + b"\n", b""),
        "a row comes twice": good.replace(salted, salted + b"\n" + salted),
        "a field is hidden in one row": good.replace(salted, hidden),
        "the events are hidden": head + b"\n" + no_event,
        "two batches": head + b"\n" + b"".join(package_lines([one, one], (), with_events=True)),
        "no batch": head + b"\n[\n]",
        "cut short": good[:-2],
        "goes on": good + b"\n",
        "no head": body,
        "no line": b"x" * 200_000,
        "nothing": b"",
        "another attestation": good.replace(attestation_of(one), other),
        "a damaged attestation": good.replace(attestation_of(one), attestation_of(one)[:-9]),
        "no attestation": good.replace(b'"attestation":"' + attestation_of(one) + b'",', b"", 1),
        "null for an attestation": good.replace(b'"' + attestation_of(one) + b'"', b"null", 1),
        "an unknown member": good.replace(b',"owner"', b',"note":1,"owner"'),
        "another spelling": good.replace(b',"owner":', b',"owner": '),
        "cells in another order": good.replace(b'"day","eggs"', b'"eggs","day"', 1),
        "a cell's name twice": good.replace(b'"day","eggs"', b'"day","day"', 1),
        "no event among the cells": good.replace(b'["event",', b'["moment",', 1),
        "a name too few": good.replace(b',"at_home"]', b"]", 1),
        "a name too many": good.replace(b',"at_home"]', b',"at_home","supper"]', 1),
        "a batch's id that is none": good.replace(BATCH.encode(), BATCH.encode()[:-1]),
        "a huge count": good.replace(b'"count":3', b'"count":10001'),
        "a count of one more": good.replace(b'"count":3', b'"count":4'),
        "a count of one less": good.replace(b'"count":3', b'"count":2'),
    }


@pytest.mark.parametrize("name", damaged())
def test_a_copy_that_does_not_hold_together_is_refused(name: str) -> None:
    """Given a damaged, forged or malformed copy, when read, then BadCopy."""
    text = damaged()[name]
    assert text != text_of(batch(3), "day", "eggs"), "the damage was not done"
    with pytest.raises(BadCopy):
        read_copy(text)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_any_changed_byte_of_a_copy_is_refused_or_changes_only_whose_it_is(
    at: int, mask: int
) -> None:
    """Given a copy, when a byte changes, then refused, or of another id that no ledger knows."""
    good = text_of(batch(3), "day", "eggs")
    data = bytearray(good)
    data[at % len(data)] ^= mask
    try:
        found = read_copy(bytes(data))
    except BadCopy:
        return
    whole = read_copy(good)
    assert (found.batch, found.owner, found.cells) != (whole.batch, whole.owner, whole.cells)
    assert (found.header, found.rows) == (whole.header, whole.rows)


@given(st.binary(max_size=300))
def test_any_bytes_instead_of_a_copy_are_refused(text: bytes) -> None:
    """Given hostile bytes, when taken for a copy, or for its rows, then BadCopy."""
    head = text_of(batch(1), "eggs").partition(b"\n")[0]
    for one in (text, head + b"\n" + text):
        with pytest.raises(BadCopy):
            read_copy(one)
