"""Properties over any rows and any bytes: judge, projection, canonical values, guessing."""

from __future__ import annotations

import base64
import os
import random
import zlib
from hashlib import sha256

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.rights.material import (
    HALVES,
    ORDER,
    SCHEMA,
    SOURCE,
    SUBJECT,
    Case,
    batch,
    committed,
    fixed,
    honest,
    order_of,
    sealed_text,
)
from tongbao.kernel import jcs
from tongbao.modules.data.hashing import data_hash
from tongbao.rights.at_rest import store_batch
from tongbao.rights.batch import Batch, Origin, Period, make_batch
from tongbao.rights.chunks import TooLarge, chunk_count, open_chunks, seal_chunks
from tongbao.rights.judge import Verdict
from tongbao.rights.limits import FIELDS_LIMIT, TEXT_BYTES_LIMIT, TEXT_LIMIT
from tongbao.rights.opened import BoughtRow, bought_rows
from tongbao.rights.package_text import package_lines
from tongbao.rights.schema import BadRow, Field, FieldName, Row, Schema, check_row, event_hash

ROUNDS = int(os.environ.get("TONGBAO_FUZZ_ROUNDS", "12000")) // 20
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
VALUES = st.tuples(
    st.dates().map(lambda day: day.isoformat()),
    st.integers(-(2**53) + 1, 2**53 - 1),
    TEXTS,
    st.booleans(),
)
FIELD_SETS = st.lists(st.sampled_from([field.name for field in SCHEMA.fields]), unique=True)


def batch_of(values: list[tuple[str, int, str, bool]]) -> Batch:
    """A batch of these values, an event each."""
    rows = [
        Row(event_hash(fixed("source"), str(number).encode()), one)
        for number, one in enumerate(values)
    ]
    origin = Origin(period=Period("2026-10"), source=SOURCE, subject=SUBJECT)
    return make_batch(SCHEMA, origin, rows, fixed("secret"), fixed("salt")[:16])


@given(st.lists(VALUES, max_size=8), FIELD_SETS)
def test_any_rows_and_any_grant_are_judged_good_and_come_out_whole(
    values: list[tuple[str, int, str, bool]], fields: list[str]
) -> None:
    """Given any rows, when any fields are granted, then OK and just those values."""
    case = honest(batch_of(values), fields=tuple(fields))
    assert case.verdict() is Verdict.OK
    names = [str(field.name) for field in SCHEMA.fields]
    bought = bought_rows(case.order, case.commitments, case.a, case.chunks)
    assert [row.values for row in bought] == [
        {name: one[names.index(name)] for name in fields} for one in values
    ]


def test_the_longest_row_that_a_schema_allows_fits_a_line() -> None:
    """Given 64 texts of 256 characters that are longest in JSON, when sold, then judged good."""
    fields = tuple(Field(FieldName(f"f{place}"), "text") for place in range(FIELDS_LIMIT))
    schema = Schema(SCHEMA.name, fields)
    for character in ("\x01", "\U0001f95a"):
        row = Row(event_hash(b"", b""), (character * TEXT_LIMIT,) * FIELDS_LIMIT)
        origin = Origin(period=Period("2026-10"), source=SOURCE, subject=SUBJECT)
        one = make_batch(schema, origin, [row], fixed("secret"), fixed("salt")[:16])
        names = tuple(str(field.name) for field in fields)
        case = sealed_text(
            replace(order_of(one, fields=names), schema_fields=names),
            b"".join(package_lines([one], names)),
        )
        assert case.verdict() is Verdict.OK
        assert rows_of(case)[0].values == dict(zip(names, row.values, strict=True))


@given(st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS | st.booleans())
def test_a_value_has_the_form_that_other_libraries_give_it(value: int | str | bool) -> None:
    """Given any value, when written, then as the package rfc8785 writes it."""
    assert jcs.encode(value) == rfc8785.dumps(value)


def spellings(canary: str) -> list[bytes]:
    """A value as it would lie somewhere by accident."""
    plain = canary.encode()
    return [
        plain,
        plain.hex().encode(),
        base64.b64encode(plain).rstrip(b"="),
        base64.urlsafe_b64encode(plain).rstrip(b"="),
        canary.encode("utf-16-le"),
        zlib.compress(plain),
    ]


@given(FIELD_SETS, st.integers(0, 2**64 - 1))
def test_only_granted_fields_leave(fields: list[str], seed: int) -> None:
    """Given a canary in every field, when some are granted, then the others' are nowhere."""
    rng = random.Random(seed)
    schema = Schema(SCHEMA.name, tuple(Field(field.name, "text") for field in SCHEMA.fields))
    canaries = {field.name: rng.randbytes(12).hex() for field in schema.fields}
    row = Row(event_hash(fixed("source"), b"1"), tuple(canaries.values()))
    origin = Origin(period=Period("2026-10"), source=SOURCE, subject=SUBJECT)
    one = make_batch(schema, origin, [row], fixed("secret"), fixed("salt")[:16])
    text = b"".join(package_lines([one], fields))
    for name, canary in canaries.items():
        found = any(spelled in text for spelled in spellings(canary))
        assert found == (name in fields)
    outside = b"".join((*store_batch(one, fixed("owner")).chunks, *honest_chunks(one, fields)))
    for canary in canaries.values():
        assert not any(spelled in outside for spelled in spellings(canary))


def honest_chunks(one: Batch, fields: list[str]) -> list[bytes]:
    """The chunks of a package of one batch."""
    text = b"".join(package_lines([one], fields))
    return list(seal_chunks(fixed("key"), ORDER, (text,), len(text), chunk_count(len(text))))


def test_guessing_small_numbers_against_every_hash_fails() -> None:
    """Given all that leaves without the eggs, when 0 to 100 are hashed in every way, then none."""
    one = batch(60)
    text = b"".join(package_lines([one], ("day",)))
    (header, *lines) = text.split(b"\n")[1:-2]
    known_salts = [line.split(b'["')[2][:32] for line in lines]
    seen = {line[place : place + 64] for line in lines for place in range(len(line) - 63)}
    seen |= {header[place : place + 64] for place in range(len(header) - 63)}
    for eggs in range(101):
        value = jcs.encode(eggs)
        guesses = [sha256(value), sha256(b"eggs" + value), sha256(b"eggs=" + value)]
        hashes = [guess.digest() for guess in guesses]
        for number, salt in enumerate(known_salts):
            hashes.append(data_hash("cell", b"eggs", bytes.fromhex(salt.decode()), value))
            hashes.append(data_hash("cell", b"eggs", f"{number}/eggs".encode(), value))
        hashes += [data_hash("cell", b"eggs", value), data_hash("cell", b"eggs", b"", value)]
        assert not seen & {one.hex().encode() for one in hashes}


@given(st.binary(max_size=80), st.lists(st.binary(max_size=200), max_size=4), st.booleans())
def test_judge_never_raises_on_any_evidence(a: bytes, chunks: list[bytes], agreed: bool) -> None:
    """Given any bytes as evidence, committed to or not, when judged, then there is a verdict."""
    order = order_of(batch())
    case = committed(order, tuple(chunks)) if agreed else honest(batch())
    evidence = replace(case, a=HALVES.a if agreed else a, chunks=tuple(chunks))
    assert evidence.verdict() in (
        Verdict.PACKAGE_DOES_NOT_OPEN,
        Verdict.EVIDENCE_IS_NOT_COMMITTED,
    )


TOKENS = (
    b'"', b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"1.0", b"1e9", b"-1", b"\\u0000",
    b"]}", b"]},", b"\n]}", b",\n[", b'{"header":', b',"rows":[', b"\n", b"\x00", b"\xff",
    b"9" * 40, b"\\ud800", "店".encode(), b"[" * 5_000,
    b'"' + b"0" * 64 + b'"', b'["' + b"0" * 32 + b'",1]',
)  # fmt: skip


def changed(choose: random.Random, text: bytes) -> bytes:
    """A text with a token, a cut, a flipped bit or a piece of itself somewhere."""
    low = choose.randrange(len(text) + 1)
    high = min(len(text), low + choose.randrange(200))
    kind = choose.randrange(4)
    if kind == 0:
        return text[:low] + choose.choice(TOKENS) + text[low:]
    if kind == 1:
        return text[:low] + text[high:]
    if kind == 2:
        return text[:low] + text[low:high] * 2 + text[high:]
    data = bytearray(text)
    data[choose.randrange(len(data))] ^= 1 << choose.randrange(8)
    return bytes(data)


def test_judge_upholds_or_finds_no_harm_in_any_malformed_text() -> None:
    """Given a damaged text that was committed to, when judged, then OK only if harmless."""
    choose = random.Random(int(os.environ.get("TONGBAO_FUZZ_SEED", "9")))
    months = (batch(6), batch(2, "2026-11"))
    good = b"".join(package_lines(months, ("day", "eggs")))
    order = order_of(*months)
    rows = rows_of(sealed_text(order, good))
    verdicts = set()
    for _ in range(ROUNDS):
        text = changed(choose, changed(choose, good) if choose.random() < 0.3 else good)
        case = sealed_text(order, text)
        verdict = case.verdict()
        verdicts.add(verdict)
        assert verdict is not Verdict.EVIDENCE_IS_NOT_COMMITTED
        if verdict is Verdict.OK:
            assert rows_of(case) == rows
    assert verdicts >= {Verdict.PACKAGE_DOES_NOT_OPEN, Verdict.ROW_IS_NOT_COMMITTED}


def rows_of(case: Case) -> list[BoughtRow]:
    """The bought rows of a good case."""
    return list(bought_rows(case.order, case.commitments, case.a, case.chunks))


@given(st.lists(st.binary(max_size=70_000), max_size=5), st.integers(0, 3))
def test_a_text_in_any_pieces_comes_out_as_it_went_in(pieces: list[bytes], extra: int) -> None:
    """Given pieces of any sizes, when sealed and opened, then the same; sizes are powers of two."""
    text = b"".join(pieces)
    count = chunk_count(len(text)) << extra
    sealed = list(seal_chunks(fixed("key"), ORDER, pieces, len(text), count))
    assert len(sealed) == count and {len(chunk) for chunk in sealed} == {65_552}
    assert b"".join(open_chunks(fixed("key"), ORDER, sealed)) == text


def test_a_text_beyond_four_gibibytes_is_refused() -> None:
    """Given lengths around each power of two and the limit, when counted, then as the page says."""
    counts = {0: 1, 65_528: 1, 65_529: 2, 131_064: 2, 131_065: 4, TEXT_BYTES_LIMIT: 65_536}
    assert {length: chunk_count(length) for length in counts} == counts
    with pytest.raises(TooLarge):
        chunk_count(TEXT_BYTES_LIMIT + 1)


@pytest.mark.parametrize(
    "values",
    [
        ("2026-02-30", 1, "", True),
        ("20261001", 1, "", True),
        (20261001, 1, "", True),
        ("2026-10-01", True, "", True),
        ("2026-10-01", 2**53, "", True),
        ("2026-10-01", "1", "", True),
        ("2026-10-01", 1, "x" * (TEXT_LIMIT + 1), True),
        ("2026-10-01", 1, "\ud800", True),
        ("2026-10-01", 1, "", 1),
        ("2026-10-01", 1, ""),
    ],
)
def test_a_row_that_is_not_of_the_schema_is_refused(values: tuple[str | int | bool, ...]) -> None:
    """Given a value of another kind, size or number, when checked, then refused."""
    with pytest.raises(BadRow):
        check_row(SCHEMA, Row(event_hash(b"", b""), values))


def test_schemas_and_batches_that_cannot_be_are_refused() -> None:
    """Given doubled fields, a field named event, or a doubled event, when made, then refused."""
    for names in ((FieldName("eggs"), FieldName("eggs")), (FieldName("event"),)):
        with pytest.raises(BadRow, match="names a field twice"):
            Schema(SCHEMA.name, tuple(Field(name, "text") for name in names))
    origin = Origin(period=Period("2026-10"), source=SOURCE, subject=SUBJECT)
    row = batch(1).rows[0]
    for wrong in ([row, row], [replace(row, event="x")], [row] * 10_001):
        with pytest.raises(BadRow):
            make_batch(SCHEMA, origin, wrong, fixed("secret"), fixed("salt")[:16])
