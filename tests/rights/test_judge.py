"""`judge`: each verdict, upheld and rejected, and what is no ground."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import overload

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec.structs import replace

from tests.rights.material import (
    FIELDS,
    HALVES,
    NOTE,
    ORDER,
    Case,
    batch,
    committed,
    fixed,
    honest,
    order_of,
    rows,
    sealed_text,
)
from tongbao.rights.batch import Batch
from tongbao.rights.chunks import seal_chunks
from tongbao.rights.halves import package_key
from tongbao.rights.judge import Verdict, judge
from tongbao.rights.opened import BoughtRow, Faulty, bought_rows
from tongbao.rights.package_text import package_lines
from tongbao.rights.schema import BadRow


def text_of(*batches: Batch, fields: tuple[str, ...] = FIELDS) -> bytes:
    """The text that an honest seller would seal."""
    return b"".join(package_lines(batches, fields))


def test_an_honest_package_gives_the_buyer_the_granted_values_and_nothing_else() -> None:
    """Given two months, when days and eggs are bought, then each row comes with just these."""
    months = (batch(3), batch(0, "2026-11"))
    case = honest(*months)
    assert case.verdict() is Verdict.OK and not case.verdict().upheld
    assert list(bought_rows(case.order, case.commitments, case.a, case.chunks)) == [
        BoughtRow(
            header=months[0].header,
            number=number,
            values={"day": row.values[0], "eggs": row.values[1]},
        )
        for number, row in enumerate(rows(3))
    ]
    assert NOTE.encode() not in text_of(*months)


def test_evidence_with_another_half_or_other_chunks_is_not_committed() -> None:
    """Given a good package, when the evidence is changed in any part, then it is rejected."""
    case = honest(batch())
    chunk = case.chunks[0]
    forged = (
        replace(case, a=fixed("another")),
        replace(case, a=case.a[:-1]),
        replace(case, chunks=(bytes([chunk[0] ^ 1]) + chunk[1:],)),
        replace(case, chunks=()),
        replace(case, chunks=(chunk, chunk)),
        replace(case, commitments=replace(case.commitments, b=fixed("another"))),
    )
    for one in forged:
        assert one.verdict() is Verdict.EVIDENCE_IS_NOT_COMMITTED and not one.verdict().upheld


def test_a_seller_who_seals_what_does_not_open_loses_the_claim() -> None:
    """Given chunks under another key, short, or of no power of two, when judged, then upheld."""
    order = order_of(batch())
    text = text_of(batch())
    key = package_key(ORDER, HALVES.a, HALVES.b)
    other_key = tuple(seal_chunks(fixed("other"), ORDER, (text,), len(text), 1))
    other_order = tuple(seal_chunks(key, fixed("order")[:20], (text,), len(text), 1))
    (good,) = seal_chunks(key, ORDER, (text,), len(text), 1)
    two = tuple(seal_chunks(key, ORDER, (text,), len(text), 2))
    for chunks in (
        other_key,
        other_order,
        (good[:-1],),
        (good, good, good),
        two[::-1],
        two[:1],
        (),
    ):
        case = committed(order, chunks)
        assert case.verdict() is Verdict.PACKAGE_DOES_NOT_OPEN and case.verdict().upheld


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: b"", id="nothing"),
        pytest.param(lambda text: text[:-2], id="cut short"),
        pytest.param(lambda text: text + b"\n", id="goes on after its end"),
        pytest.param(lambda text: text.replace(b"\n", b""), id="without line ends"),
        pytest.param(lambda text: text.replace(b'"count":', b'"count": '), id="another spelling"),
        pytest.param(lambda text: text.replace(b'"count":5', b'"count":10001'), id="too many rows"),
        pytest.param(lambda text: text.replace(b"],\n[", b"]\n[", 1), id="a comma is missing"),
        pytest.param(lambda text: text.replace(b"\n]}\n", b"\n]},\n"), id="a comma at the end"),
        pytest.param(lambda text: text.replace(b',"rows":[', b',"more":1,"rows":['), id="a member"),
        pytest.param(lambda text: text.replace(b",1],", b",1.0],", 1), id="a float"),
        pytest.param(lambda text: text.replace(b",1],", b",null],", 1), id="a null"),
        pytest.param(lambda text: b"[\n" + b"x" * 140_000, id="an endless line"),
    ],
)
def test_a_text_that_is_not_in_the_one_form_does_not_open(
    change: Callable[[bytes], bytes],
) -> None:
    """Given a package whose text is malformed, when judged, then the claim is upheld."""
    text = change(text_of(batch()))
    assert text != text_of(batch())
    assert sealed_text(order_of(batch()), text).verdict() is Verdict.PACKAGE_DOES_NOT_OPEN


def test_what_follows_the_text_must_be_zero_and_its_length_must_fit() -> None:
    """Given padding with something in it, or a length too large, when judged, then upheld."""
    text = text_of(batch())
    key = package_key(ORDER, HALVES.a, HALVES.b)
    for length, tail in ((len(text), b"\x01"), (65_536, b""), (2**64 - 1, b"")):
        plain = (length.to_bytes(8, "big") + text + tail).ljust(65_536, b"\x00")
        chunk = AESGCM(key).encrypt(bytes(12), plain, ORDER + bytes(4) + b"\x00\x00\x00\x01")
        case = committed(order_of(batch()), (chunk,))
        assert case.verdict() is Verdict.PACKAGE_DOES_NOT_OPEN


def test_another_month_or_an_older_version_in_its_place_is_not_the_ordered_header() -> None:
    """Given an order of October, when November is sealed, then its header is not committed."""
    case = sealed_text(order_of(batch()), text_of(batch(5, "2026-11")))
    assert case.verdict() is Verdict.HEADER_IS_NOT_COMMITTED and case.verdict().upheld
    order = replace(order_of(batch()), schema="supper.1")
    assert sealed_text(order, text_of(batch())).verdict() is Verdict.HEADER_IS_NOT_COMMITTED


@pytest.mark.parametrize("name", ["period", "source", "subject"])
def test_a_header_that_names_another_than_the_ledger_is_not_the_ordered_one(name: str) -> None:
    """Given a source that committed to a header of another's, when judged, then upheld."""
    other = {"period": "2026-09", "source": "33" * 20, "subject": "44" * 32}[name]
    order = order_of(batch())
    known = replace(order.batches[0], **{name: other})
    case = sealed_text(replace(order, batches=(known,)), text_of(batch()))
    assert case.verdict() is Verdict.HEADER_IS_NOT_COMMITTED and case.verdict().upheld


def test_rows_or_whole_months_that_are_left_out_are_missing() -> None:
    """Given a month without its last row, or no month, when judged, then rows are missing."""
    five = batch()
    short = replace(five, rows=five.rows[:4])
    empty = replace(five, rows=())
    november = batch(2, "2026-11")
    for order, text in (
        (order_of(five), text_of(short)),
        (order_of(five), text_of(empty)),
        (order_of(five), b"[\n]"),
        (order_of(five, november), text_of(five)),
    ):
        case = sealed_text(order, text)
        assert case.verdict() is Verdict.ROWS_ARE_MISSING and case.verdict().upheld


def test_a_granted_cell_as_a_hash_is_hidden() -> None:
    """Given days and eggs were bought, when eggs are hashes, then a granted cell is hidden."""
    case = sealed_text(order_of(batch()), text_of(batch(), fields=("day",)))
    assert case.verdict() is Verdict.GRANTED_CELL_IS_HIDDEN and case.verdict().upheld


def test_an_altered_cell_or_row_is_not_committed() -> None:
    """Given a value, salt, hash, order or number is changed, when judged, then not committed."""
    five = batch()
    text = text_of(five)
    first = next(line for line in text.split(b"\n") if line.startswith(b'["'))
    altered = (
        text.replace(b",1],", b",2],", 1),
        text.replace(b",1],", b",true],", 1),
        text.replace(first[2:8], b"abcdef", 1),
        text_of(replace(five, secret=fixed("other"))),
        text_of(replace(five, rows=(five.rows[1], five.rows[0], *five.rows[2:]))),
        text_of(replace(five, rows=(*five.rows, five.rows[0]))),
        text.replace(b"],\n[", b',"' + b"0" * 64 + b'"],\n[', 1),
    )
    for one in altered:
        case = sealed_text(order_of(five), one)
        assert case.verdict() is Verdict.ROW_IS_NOT_COMMITTED and case.verdict().upheld


def test_surplus_fields_and_surplus_months_are_no_ground() -> None:
    """Given more is open than was bought, when judged, then OK; and the buyer's rows lack it."""
    five = batch()
    surplus = text_of(five, batch(2, "2026-11"), fields=("day", "eggs", "note"))
    case = sealed_text(order_of(five), surplus)
    assert case.verdict() is Verdict.OK
    bought = list(bought_rows(case.order, case.commitments, case.a, case.chunks))
    assert [row.values for row in bought] == [
        {"day": row.values[0], "eggs": row.values[1]} for row in five.rows
    ]


def test_the_first_faulty_month_decides_and_a_malformed_end_before_it() -> None:
    """Given two faults, when judged, then the verdict is the one that the page puts first."""
    october, november = batch(), batch(2, "2026-11")
    order = order_of(october, november)
    both = text_of(october, replace(november, rows=november.rows[:1]), fields=("day",))
    assert sealed_text(order, both).verdict() is Verdict.GRANTED_CELL_IS_HIDDEN
    assert sealed_text(order, both[:-1]).verdict() is Verdict.PACKAGE_DOES_NOT_OPEN


def test_rows_of_a_faulty_package_are_not_given() -> None:
    """Given a package with a hidden cell, when its rows are asked for, then Faulty says which."""
    case = sealed_text(order_of(batch()), text_of(batch(), fields=("day",)))
    with pytest.raises(Faulty, match="GRANTED_CELL_IS_HIDDEN"):
        bought_rows(case.order, case.commitments, case.a, case.chunks)


def test_a_package_is_never_sealed_with_fields_that_are_none() -> None:
    """Given a grant of the event or of an unknown field, when sealed, then refused by name."""
    for fields in (("event",), ("eggs", "eggs"), ("weight",)):
        with pytest.raises(BadRow, match="not distinct fields of the schema"):
            honest(batch(), fields=fields)


class Reread(Sequence[bytes]):
    """Chunks that are made again whenever they are asked for, as if they lay in a file."""

    def __init__(self, chunks: Sequence[bytes]) -> None:
        self._chunks = chunks

    def __len__(self) -> int:
        return len(self._chunks)

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        return self._chunks[index]

    def __iter__(self) -> Iterator[bytes]:
        return (bytes(chunk) for chunk in self._chunks)


def test_chunks_may_lie_anywhere_that_can_be_read_twice() -> None:
    """Given a package of many chunks in a sequence of its own, when judged, then OK."""
    case: Case = honest(batch(3_000))
    assert len(case.chunks) == 16
    assert judge(case.order, case.commitments, case.a, Reread(case.chunks)) is Verdict.OK
