"""Requests for data, and the hashes by which orders, seals and claims name their documents."""

from __future__ import annotations

from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.rights.material import HALVES, ORDER, fixed
from tests.rights.test_properties import changed
from tongbao.kernel import jcs
from tongbao.kernel.amount import Amount
from tongbao.kernel.identifiers import Address, AssetId, ChainId, Id, Time
from tongbao.modules.data.hashing import data_hash
from tongbao.modules.data.types import Field, Mode, Purpose, Schema
from tongbao.rights.limits import REQUEST_BYTES_LIMIT, WHY_LIMIT
from tongbao.rights.requests import (
    BadRequest,
    DataRequest,
    Why,
    evidence_hash,
    grant_hash,
    read_request,
    request_bytes,
    request_hash,
)

REQUEST = DataRequest(
    asset=AssetId("CNY." + "55" * 20),
    batches=(Id("44" * 20), Id("66" * 20)),
    buyer=Address("77" * 20),
    chain=ChainId("test-00000000"),
    delete_by=Time(1_793_000_000_000),
    fee=Amount("0.10"),
    fields=(Field("eggs"), Field("day")),
    mode=Mode("store"),
    owner=Address("33" * 20),
    price=Amount("2.50"),
    purpose=Purpose("dpv:AcademicResearch"),
    schema=Schema("breakfast.1"),
    why=Why("我们想知道 how many eggs are eaten: „Grüße“ 🥚"),
)
LONGEST = replace(
    REQUEST,
    batches=tuple(Id(f"{number:040x}") for number in range(36)),
    fields=tuple(Field("f" * 30 + f"{number:02}") for number in range(64)),
    why=Why("\U0001f95a" * WHY_LIMIT),
)


def test_a_request_is_read_as_it_was_written() -> None:
    """Given a request, and the longest, when read, then the same; as other libraries write it."""
    for request in (REQUEST, LONGEST):
        text = request_bytes(request)
        assert read_request(text) == request
        assert len(text) < REQUEST_BYTES_LIMIT
        assert text == rfc8785.dumps(jcs.to_builtins(request))
        assert request_hash(request) == data_hash("request", text)


@given(st.text(max_size=WHY_LIMIT + 3))
def test_a_sentence_is_one_line_that_is_shown_as_it_is_written(why: str) -> None:
    """Given any text as the reason, when read, then refused only if long or of controls."""
    text = rfc8785.dumps(jcs.to_builtins(replace(REQUEST, why="x")) | {"why": why})
    fits = 1 <= len(why) <= WHY_LIMIT and not any(is_control(character) for character in why)
    if fits:
        assert read_request(text).why == why
    else:
        with pytest.raises(BadRequest):
            read_request(text)


def is_control(character: str) -> bool:
    """Whether the page leaves a character out."""
    ranges = ((0, 0x1F), (0x7F, 0x9F), (0x200E, 0x200F), (0x2028, 0x202E), (0x2066, 0x2069))
    code = ord(character)
    return code == 0x61C or any(first <= code <= last for first, last in ranges)


@pytest.mark.parametrize("code", [0, 9, 10, 0x7F, 0x85, 0x61C, 0x200F, 0x2028, 0x202E, 0x2069])
def test_what_turns_or_breaks_a_line_is_refused(code: int) -> None:
    """Given a reason that would be shown as another, when read, then refused."""
    with pytest.raises(BadRequest):
        read_request(request_bytes(replace(REQUEST, why=Why(f"eggs{chr(code)}sgge"))))


@pytest.mark.parametrize(
    "wrong",
    [
        {"asset": "CNY"},
        {"batches": []},
        {"batches": ["44" * 20, "44" * 20]},
        {"batches": [f"{number:040x}" for number in range(37)]},
        {"buyer": "77" * 19},
        {"chain": "test"},
        {"delete_by": -1},
        {"delete_by": 2**53},
        {"delete_by": "1793000000000"},
        {"fee": 0.1},
        {"fee": "0,10"},
        {"price": "02.50"},
        {"price": "-2.50"},
        {"fields": []},
        {"fields": ["eggs", "eggs"]},
        {"fields": ["Eggs"]},
        {"mode": "query"},
        {"mode": ["view", "store"]},
        {"purpose": "dpv:AcademicResearch dpv:Marketing"},
        {"purpose": ["dpv:AcademicResearch", "dpv:Marketing"]},
        {"schema": "breakfast"},
        {"why": ""},
        {"why": "x" * (WHY_LIMIT + 1)},
        {"why": None},
        {"note": "nobody reads me"},
    ],
)
def test_a_request_with_a_wrong_member_is_refused(wrong: dict[str, Any]) -> None:
    """Given a member that is wrong, unknown, huge or a bundle, when read, then refused."""
    with pytest.raises(BadRequest):
        read_request(jcs.encode(jcs.to_builtins(REQUEST) | wrong))


def test_every_member_must_be_there_and_changes_the_hash() -> None:
    """Given a request, when a member is left out, then refused; if another, another hash."""
    whole: dict[str, Any] = jcs.to_builtins(REQUEST)
    for name in whole:
        left = {other: value for other, value in whole.items() if other != name}
        with pytest.raises(BadRequest):
            read_request(rfc8785.dumps(left))
    others: dict[str, Any] = jcs.to_builtins(LONGEST) | {
        "asset": "EUR." + "55" * 20,
        "buyer": "78" * 20,
        "chain": "test-00000001",
        "delete_by": 1,
        "fee": "0.11",
        "mode": "view",
        "owner": "34" * 20,
        "price": "2.51",
        "purpose": "dpv:Marketing",
        "schema": "breakfast.2",
    }
    assert set(others) == set(whole)
    hashes = {request_hash(REQUEST)}
    for name, value in others.items():
        hashes.add(request_hash(read_request(rfc8785.dumps(whole | {name: value}))))
    assert len(hashes) == 1 + len(whole)


def test_other_spellings_and_other_texts_are_refused() -> None:
    """Given spaces, another order, doubled members or no request, when read, then refused."""
    good = request_bytes(REQUEST)
    for wrong in (
        good.replace(b'":', b'": ', 1),
        good + b"\n",
        good.replace(b'{"asset"', b'{"why":"x","asset"'),
        good.replace("🥚".encode(), b"\\ud83e\\udd5a"),
        good.replace(b"eggs are", b"\\u0065ggs are"),
        good.replace(b"eggs are", b"\\ud800 are"),
        good.replace(b"eggs are", b"\xed\xa0\x80 are"),
        b"",
        b"[]",
        b"null",
        b"[" * REQUEST_BYTES_LIMIT,
        b" " * (REQUEST_BYTES_LIMIT + 1),
    ):
        assert wrong != good
        with pytest.raises(BadRequest):
            read_request(wrong)


@given(st.randoms(use_true_random=False))
def test_a_damaged_request_is_refused_or_another_request(choose: Any) -> None:
    """Given a request with damage anywhere, when read, then refused, or of another hash."""
    text = changed(choose, request_bytes(REQUEST))
    try:
        found = read_request(text)
    except BadRequest:
        return
    assert request_bytes(found) == text
    assert (request_hash(found) == request_hash(REQUEST)) == (found == REQUEST)


def test_hashes_of_grants_and_evidence_are_those_of_the_page() -> None:
    """Given a receipt, and evidence, when hashed, then H of tag and parts; each part counts."""
    assert grant_hash(b"{}") == data_hash("grant", b"{}")
    root = fixed("root")
    said = evidence_hash(ORDER, HALVES.a, root)
    assert said == data_hash("evidence", ORDER, HALVES.a, root)
    others = (
        evidence_hash(bytes(20), HALVES.a, root),
        evidence_hash(ORDER, HALVES.b, root),
        evidence_hash(ORDER, HALVES.a, fixed("another")),
    )
    assert len({said, *others}) == 4
