"""The buyer in TypeScript, written from the pages alone, makes and judges our bytes."""

from __future__ import annotations

import json
import random
import subprocess
from base64 import b64decode, b64encode, urlsafe_b64decode
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from tests.clients.data_buying import built, jwk_of
from tests.rights.hpke_by_the_book import public_key_of
from tests.rights.material import Case, batch, fixed, honest, order_of, sealed_text
from tests.rights.receipts import (
    ALICE,
    CAROL,
    CHAIN,
    ENTERPRISE,
    INSURER,
    MADE_AT,
    OFFER,
    OFFER_ID,
    ORDER_ID,
    REQUEST,
)
from tests.rights.receipts import order_of as order_of_request
from tests.rights.test_another_language import told
from tests.rights.test_golden import verdicts
from tests.rights.test_properties import changed
from tongbao.kernel import Address
from tongbao.kernel.envelope import encode_base64url, signing_input
from tongbao.modules.data import Field, Mode, Purpose
from tongbao.rights.judge import Verdict
from tongbao.rights.package_text import package_lines
from tongbao.rights.parcel import open_parcel
from tongbao.rights.receipt import Institution, make_receipt
from tongbao.rights.requests import DataRequest, request_bytes
from tongbao.sdk.exchange_keys import sign_exchange_key
from tongbao.sdk.request_checker import RequestChecker
from tongbao.testing.keys import named_key

pytestmark = pytest.mark.needs("node", "npm")

PROGRAM = Path(__file__).with_name("data_buyer.mjs")
ACCOUNT = "ab" * 20
ENDS = 1_000_000
GRANTS: tuple[tuple[dict[str, Any], Address], ...] = (
    ({}, CAROL),
    ({"batches": (ORDER_ID,)}, ALICE),
    ({"purpose": Purpose("dpv:FraudPreventionAndDetection")}, CAROL),
    ({"purpose": Purpose("dpv:Anything")}, CAROL),
    ({"fields": (Field("day"), Field("count"))}, CAROL),
)


def answers(*asked: tuple[str, dict[str, Any]]) -> list[str]:
    """What the program says to each."""
    ended = subprocess.run(
        ["node", "--no-warnings", str(PROGRAM), str(built())],
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(ended.stdout)
    return found


def verdicts_of(cases: list[Case]) -> list[str]:
    """What the program judges."""
    return answers(*(("verdictOf", told(case)) for case in cases))


def test_it_comes_to_the_golden_verdicts() -> None:
    """Given the frozen cases, when judged in TypeScript, then the same verdicts, all seven."""
    cases = list(verdicts().values())
    found = verdicts_of(cases)
    assert found == [case.verdict().name for case in cases]
    assert set(found) == {verdict.name for verdict in Verdict}


def test_it_comes_to_the_same_verdict_on_damaged_texts() -> None:
    """Given damaged texts that were committed to, when judged by both, then they agree."""
    choose = random.Random(23)
    months = (batch(3), batch(1, "2026-11"))
    good = b"".join(package_lines(months, ("day", "eggs", "note")))
    order = order_of(*months, fields=("day", "eggs", "note"))
    odd = [
        good.replace(b"canary", one, 1)
        for one in (b"\\ud800", b"\\u20ac", b"\\n", b"\\/", b"\xc0\x80", b"x" * 257, b"\x01")
    ]
    odd += [good.replace(b",1],", one, 1) for one in (b",-0],", b",1e0],", b",9007199254740992],")]
    odd += [good.replace(b",1],", b",null],", 1), good.replace(b'"rows"', b'"row"', 1)]
    odd += [b"\xef\xbb\xbf" + good, b"{}", b"[\n]", b"null", b"[\n1\n]", b"[" * 9_000]
    cases = [
        sealed_text(order, text) for text in (*odd, *(changed(choose, good) for _ in "x" * 60))
    ]
    ours = [case.verdict().name for case in cases]
    assert verdicts_of(cases) == ours
    assert len(set(ours)) >= 3


@pytest.mark.parametrize("mode", ["view", "store", "stream"])
@pytest.mark.parametrize("institution", [None, INSURER])
def test_it_makes_receipts_anew_out_of_the_facts(
    mode: str, institution: Institution | None
) -> None:
    """Given grants of each mode, by an agent and by the owner, when made, then the same bytes."""
    grants = [(replace(REQUEST, mode=Mode(mode), **changes), seller) for changes, seller in GRANTS]
    ours = [receipt_of(request, seller, institution) for request, seller in grants]
    facts = [facts_of(request, seller, institution) for request, seller in grants]
    found = answers(*(("receiptFor", {"facts": one, "created": MADE_AT}) for one in facts))
    assert found == ours


def receipt_of(request: DataRequest, seller: Address, institution: Institution | None) -> str:
    """The receipt that we make of a grant."""
    made = make_receipt(
        chain=CHAIN,
        order_id=ORDER_ID,
        order=order_of_request(request),
        request=request,
        offer_id=OFFER_ID,
        offer=replace(OFFER, mode=request.mode, purposes=(request.purpose,)),
        enterprise=ENTERPRISE,
        seller=seller,
        made_at=MADE_AT,
        institution=institution,
    )
    return made.decode()


def facts_of(request: DataRequest, seller: str, institution: Institution | None) -> dict[str, Any]:
    """The same grant as the program reads it."""
    facts: dict[str, Any] = {
        "order": ORDER_ID,
        "request": json.loads(request_bytes(request)),
        "offer": OFFER_ID,
        "offeredRetentionMs": OFFER.retention_ms,
        "deletionBond": "5.00",
        "region": ENTERPRISE.region,
        "seller": seller,
    }
    named = {} if institution is None else {"institution": msgspec.to_builtins(institution)}
    return facts | named


def test_evidence_that_it_seals_opens_for_the_adjudicator_alone() -> None:
    """Given a package, when sealed for a claim, then an adjudicator has `a` and each chunk."""
    case, reader = honest(batch(40), batch(0, "2026-11")), fixed("adjudicator")
    given = {
        "order": case.order.id.hex(),
        "a": case.a.hex(),
        "chunks": [b64encode(chunk).decode() for chunk in case.chunks],
        "reader": public_key_of(reader).hex(),
    }
    parcels = [b64decode(one) for one in answers(*[("evidenceOf", given)] * 2)]
    assert parcels[0] != parcels[1]
    for parcel in parcels:
        opened = open_parcel("evidence", reader, parcel)
        head, _, package = opened.text.partition(b"\n")
        assert json.loads(head) == {"a": case.a.hex(), "order": case.order.id.hex()}
        assert (opened.context, package) == (case.order.id + bytes(12), b"".join(case.chunks))


@pytest.mark.parametrize("account", [ACCOUNT, None])
def test_a_service_knows_who_has_signed_its_requests(account: str | None) -> None:
    """Given requests that it signed, when checked, then the account and key; each nonce is new."""
    body, key = b"eggs", named_key("bob")
    asked = {
        "jwk": jwk_of("bob"),
        "account": account,
        "method": "POST",
        "url": "http://127.0.0.1:8641/v1/requests?after=7%208",
        "body": b64encode(body).decode(),
    }
    checker = RequestChecker("http://127.0.0.1:8641")
    for header in answers(*[("requestOf", asked)] * 2):
        who = checker.check(header, "POST", "/v1/requests?after=7%208", sha256(body).digest())
        assert who == (account, key.public_key.hex())


def test_it_takes_a_key_to_write_to_only_from_who_signs_for_the_account() -> None:
    """Given statements of keys, when one is wrong in any way, then it is refused, else taken."""
    signer, key = named_key("ann"), public_key_of(fixed("ann"))
    statement = sign_exchange_key(signer, ACCOUNT, CHAIN, key, ENDS).decode()
    listed = {"key": {"algorithm": 1, "public": signer.key_id}, "weight": 1}
    right: dict[str, Any] = {
        "statement": statement,
        "account": ACCOUNT,
        "chain": CHAIN,
        "now": ENDS - 1,
        "shown": {"keys": [listed], "ordinary": 1},
    }
    payload = urlsafe_b64decode(statement.split(".")[1] + "==")
    signed = signing_input(signer.key_id, payload, "tongbao-request+jws")
    wrong: list[dict[str, Any]] = [
        {"account": "cd" * 20},
        {"chain": "other-00000000"},
        {"now": ENDS},
        {"shown": None},
        {"shown": {"keys": [listed], "ordinary": 2}},
        {"shown": {"keys": [], "ordinary": 1}},
        {"statement": statement[:-8] + "AAAAAAAA"},
        {"statement": "a.b.c"},
        {"statement": f"{signed.decode()}.{encode_base64url(signer.sign(signed))}"},
    ]
    found = answers(("keyOf", right), *(("keyOf", right | one) for one in wrong))
    assert found[0] == key.hex()
    assert all(one.startswith("refused: ") for one in found[1:])
