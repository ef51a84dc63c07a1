"""Receipts of grants: what both sides hold, and what a seal signs the hash of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.golden_file import check_golden
from tests.rights.receipts import (
    ALICE,
    CNY,
    DAY,
    ENTERPRISE,
    INSURER,
    MADE_AT,
    OFFER,
    ORDER_ID,
    REQUEST,
    order_of,
    receipt_of,
    sealed,
)
from tongbao.kernel import Address, Amount, Hash, Id, Time
from tongbao.modules import member
from tongbao.modules.data import Field, Lasting, Mode, Purpose, Region
from tongbao.rights.receipt import (
    BadReceipt,
    Institution,
    ReceiptDiffers,
    check_receipt,
    read_receipt,
    receipt_bytes,
    request_in,
)
from tongbao.rights.receipt_document import CONTEXT
from tongbao.rights.receipt_terms import LAST_TIME, milliseconds, written
from tongbao.rights.requests import Why, grant_hash, request_bytes
from tongbao.rights.sentence import MODES, chinese, english

CHANGES: dict[str, Any] = {
    "purpose": Purpose("dpv:Marketing"),
    "buyer": Address("b0" * 20),
    "fields": (DAY,),
    "price": Amount("21.00"),
    "fee": Amount("1.01"),
    "delete_by": Time(REQUEST.delete_by + 1),
    "batches": REQUEST.batches[:1],
    "mode": Mode("store"),
    "owner": Address("a0" * 20),
    "why": Why("another reason"),
}
"""Terms that a grant can't change without being another grant."""


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of a document."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from nodes(one)


def test_a_receipt_is_frozen() -> None:
    """Given an order, its request and its offer, when a receipt is made, then its bytes hold."""
    text = receipt_of()
    assert rfc8785.dumps(json.loads(text)) == text
    found = {
        "request": request_bytes(REQUEST).decode(),
        "receipt": text.decode(),
        "grant_hash": grant_hash(text).hex(),
    }
    check_golden("receipt.json", "receipt", found)


def test_the_sentences_are_frozen() -> None:
    """Given each mode, with an institution and without, when written, then the words hold."""
    receipt = read_receipt(receipt_of())
    found = {}
    for mode in MODES:
        one = replace(receipt, mode=Mode(mode))
        other = replace(
            one,
            institution=None,
            seller=ALICE,
            purpose=Purpose("dpv:Anything"),
            batches=(ORDER_ID,),
        )
        found[mode] = [english(one), chinese(one), english(other), chinese(other)]
    check_golden("receipt.json", "sentences", found)


def test_a_receipt_gives_back_its_facts_and_its_request() -> None:
    """Given a receipt, when read, then it has all facts, and the request that was hashed."""
    text = receipt_of()
    receipt = read_receipt(text)
    assert (receipt.institution, receipt.why, receipt.made_at) == (INSURER, REQUEST.why, MADE_AT)
    assert receipt_bytes(receipt) == text
    assert request_in(receipt) == REQUEST
    assert check_receipt(text, ORDER_ID, order_of(REQUEST), REQUEST) == receipt
    granted = sealed(order_of(REQUEST), grant_hash(text))
    assert check_receipt(text, ORDER_ID, granted, REQUEST) == receipt


@pytest.mark.parametrize("name", CHANGES)
def test_other_terms_are_another_grant(name: str) -> None:
    """Given one term that is another, when a receipt is made, then its hash is another, and the
    receipt is not that of the order.
    """
    text = receipt_of(replace(REQUEST, **{name: CHANGES[name]}))
    assert grant_hash(text) != grant_hash(receipt_of())
    order = sealed(order_of(REQUEST), grant_hash(receipt_of()))
    with pytest.raises(ReceiptDiffers) as differs:
        check_receipt(text, ORDER_ID, order, REQUEST)
    expected = {"request", "request_hash", "grant_hash"} | ({name} - {"why"})
    assert set(differs.value.members) == expected


@pytest.mark.parametrize(
    ("change", "members"),
    [
        ({"order_id": Id("23" * 20)}, {"order", "grant_hash"}),
        ({"offer_id": Id("34" * 20)}, {"offer", "grant_hash"}),
        ({"seller": ALICE}, {"seller", "grant_hash"}),
        ({"made_at": MADE_AT + 1}, {"grant_hash"}),
        ({"institution": None}, {"grant_hash"}),
        ({"enterprise": replace(ENTERPRISE, region=Region("DE"))}, {"grant_hash"}),
        ({"offer": replace(OFFER, retention_ms=Lasting(1))}, {"grant_hash"}),
    ],
)
def test_a_receipt_that_was_not_sealed_is_told(change: dict[str, Any], members: set[str]) -> None:
    """Given a receipt with another fact beside the order's, when checked, then it says which."""
    order = sealed(order_of(REQUEST), grant_hash(receipt_of()))
    with pytest.raises(ReceiptDiffers) as differs:
        check_receipt(receipt_of(**change), ORDER_ID, order, REQUEST)
    assert set(differs.value.members) == members


def test_no_receipt_is_made_of_a_request_for_something_else() -> None:
    """Given a request that is not the order's, when a receipt is asked for, then there is none."""
    other = replace(REQUEST, purpose=Purpose("dpv:Marketing"))
    with pytest.raises(ReceiptDiffers, match="purpose, request_hash"):
        receipt_of(order=order_of(REQUEST), request=other)
    late = replace(REQUEST, delete_by=Time(LAST_TIME + 1))
    with pytest.raises(BadReceipt, match="9999"):
        receipt_of(late)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each text and number of a document."""
    if isinstance(value, dict):
        for name, one in value.items():
            yield from places(one, (*path, name))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from places(one, (*path, number))
    else:
        yield path


DOCUMENT = json.loads(receipt_of())


@pytest.mark.parametrize("path", list(places(DOCUMENT)), ids=lambda path: ".".join(map(str, path)))
def test_no_word_of_a_receipt_can_be_changed_alone(path: tuple[Any, ...]) -> None:
    """Given a receipt, when any text in it is another, then it is no receipt, or another grant."""
    document = json.loads(receipt_of())
    inside = document
    for step in path[:-1]:
        inside = inside[step]
    value = inside[path[-1]]
    inside[path[-1]] = value + 1 if isinstance(value, int) else f"{value}0"
    changed = rfc8785.dumps(document)
    try:
        receipt = read_receipt(changed)
    except BadReceipt:
        return
    assert receipt_bytes(receipt) == changed
    assert grant_hash(changed) != grant_hash(receipt_of())


def with_(text: bytes, **members: Any) -> bytes:
    """A document with other members at its top."""
    return rfc8785.dumps(json.loads(text) | members)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"[" * 30_000,
        receipt_of() + b" ",
        receipt_of().replace(b'"@type"', b' "@type"', 1),
        with_(receipt_of(), more="said"),
        with_(receipt_of(), **{"dpv:hasRecordOfActivity": []}),
        with_(receipt_of(), **{"dct:created": {"@value": "2026-11-18T11:06:40.123Z"}}),
        b'"' + b"a" * 40_000 + b'"',
        "\ufeff".encode() + receipt_of(),
        b"\xff\xfe",
    ],
)
def test_what_is_no_receipt_is_refused(text: bytes) -> None:
    """Given bytes that are no receipt, or more than one, when read, then BadReceipt."""
    with pytest.raises(BadReceipt):
        read_receipt(text)


def test_a_receipt_with_a_request_hash_of_its_own_is_refused() -> None:
    """Given a receipt whose request hash was made up, when its request is asked for, then none."""
    receipt = replace(read_receipt(receipt_of()), request_hash=Hash("00" * 32))
    with pytest.raises(BadReceipt, match="request hash"):
        request_in(receipt)


@given(st.integers(0, LAST_TIME))
def test_times_are_written_in_one_way(ms: int) -> None:
    """Given any time up to the year 9999, when written and read, then it is the same."""
    assert milliseconds(written(ms)) == ms


@given(
    fields=st.lists(st.sampled_from(["a", "day", "x_9"]), min_size=1, max_size=3, unique=True),
    price=st.integers(1, 10**9),
    why=st.text(
        st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]),
        min_size=1,
        max_size=500,
    ),
    alone=st.booleans(),
)
def test_any_grant_comes_back_as_it_was(
    fields: list[str], price: int, why: str, alone: bool
) -> None:
    """Given any terms, when a receipt is made and read, then they are the same, in one form."""
    request = replace(
        REQUEST,
        fields=tuple(map(Field, fields)),
        price=Amount.of(price, 2),
        fee=Amount("0.00"),
        why=Why(why),
    )
    text = receipt_of(request, institution=None if alone else INSURER)
    assert rfc8785.dumps(json.loads(text)) == text
    receipt = read_receipt(text)
    assert request_in(receipt) == request
    assert receipt.institution == (None if alone else INSURER)


def test_a_receipt_is_linked_data_that_needs_nothing_fetched() -> None:
    """Given a receipt, when its names are looked at, then each has a prefix of its own context."""
    document = json.loads(receipt_of())
    assert document["@context"] == CONTEXT
    del document["@context"]
    prefix = re.compile(rf"(?:{'|'.join(CONTEXT)}):[A-Za-z0-9_]+\Z")
    keywords = {"@id", "@type", "@value", "@language", "@list"}
    for node in nodes(document):
        for name, value in node.items():
            assert name in keywords or prefix.match(name), name
            if name == "@type":
                assert all(map(prefix.match, value if isinstance(value, list) else [value]))
            if name == "@id":
                assert prefix.match(value) or value.startswith("urn:tongbao:"), value


def test_the_hashes_of_the_sentences_are_of_what_is_shown() -> None:
    """Given a receipt, when its sentences are hashed, then the hashes beside them are these."""
    record = json.loads(receipt_of())["dpv:hasRecordOfActivity"]
    notice = record["dpv:hasNotice"]
    shown = {one["@language"]: one["@value"] for one in notice["dct:description"]}
    told = {one["dct:language"]: one["tongbao:sha256"] for one in notice["tongbao:texts"]}
    assert told == {code: sha256(text.encode()).hexdigest() for code, text in shown.items()}
    for text in shown.values():
        for fact in ("20.00", CNY, "1.00", "5.00", "count", "eggs.1", INSURER.name, ORDER_ID, "CN"):
            assert fact in text
        assert REQUEST.why not in text


def test_an_institution_is_named_as_the_ledger_names_it() -> None:
    """Given a name or an LEI in another form, when read, then it is no receipt."""
    receipt = read_receipt(receipt_of())
    for lei, name in (("short", INSURER.name), (INSURER.lei, "a\u200bb"), (INSURER.lei, "")):
        other = Institution(lei=member.Lei(lei), name=member.MemberName(name))
        changed = replace(receipt, institution=other)
        with pytest.raises(BadReceipt):
            read_receipt(receipt_bytes(changed))


@pytest.mark.parametrize("term", ["OrganisationRiskManagement", "ImproveInternalCRMProcesses"])
def test_any_term_is_worded(term: str) -> None:
    """Given terms of the DPV, known in Chinese or not, when worded, then as words, and by name."""
    receipt = replace(read_receipt(receipt_of()), purpose=Purpose(f"dpv:{term}"))
    words = {
        "OrganisationRiskManagement": ("organisation risk management", "组织风险管理"),
        "ImproveInternalCRMProcesses": ("improve internal crm processes", term),
    }[term]
    assert f"for {words[0]} (dpv:{term})" in english(receipt)
    assert f"仅用于{words[1]}" in chinese(receipt)
