"""Submitting over HTTP: what is taken in, in which spellings, and what is answered."""

from __future__ import annotations

import gzip
import json
from typing import Any

import httpx2
import pytest

from tests.fixed_chain import key
from tests.node.conftest import Served, serving
from tongbao.engines.solo import Options
from tongbao.kernel import Amount
from tongbao.kernel.envelope import decode_envelope
from tongbao.kernel.transaction import id_of
from tongbao.modules import asset
from tongbao.sdk.builder import sign
from tongbao.sdk.http import HttpChain


def problem(answer: httpx2.Response, status: int) -> dict[str, Any]:
    """The problem document of an answer with this status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == status
    return found


def test_a_payment_is_answered_once_it_is_durable(served: Served) -> None:
    """
    Given a signed payment,
    when it is posted,
    then the answer says where it stands, and its receipt what it did.
    """
    wire = served.fixed.pay("1.00")
    answer = served.send(wire)

    assert answer.status_code == 200
    found = answer.json()
    moved = found["receipt"]["events"][0]
    assert (found["state"], found["height"], found["index"]) == ("applied", 2, 0)
    assert found["id"] == id_of(decode_envelope(wire).payload).hex()
    assert (moved["@type"], moved["amount"]) == ("asset.moved", "1.00")


def test_who_does_not_wait_gets_an_id_to_ask_for(served: Served) -> None:
    """
    Given a payment that is posted with wait=none,
    when the same bytes are posted again and waited for,
    then the first answer is 202 with its id, and it has happened once.
    """
    wire = served.fixed.pay("1.00")
    first = served.send(wire, wait="none")
    again = served.send(wire)

    assert first.status_code in (200, 202)
    assert served.client.get(f"/v1/transactions/{first.json()['id']}").json()["state"] == "applied"
    assert again.status_code == 200 or again.json()["number"] == 15


def test_a_refused_payment_is_a_conflict_with_its_number(served: Served) -> None:
    """
    Given a payment of more than alice has,
    when it is posted,
    then it is refused with a number whose page says why, and stands in its block.
    """
    found = problem(served.send(served.fixed.pay("999.00")), 409)

    assert (found["number"], found["height"], found["index"]) == (2013, 2, 0)
    page = served.client.get(found["type"]).json()
    assert page["name"] == "asset.BALANCE_IS_TOO_LOW"


@pytest.mark.parametrize(
    ("body", "number"),
    [(b"a.b.c", 4), (b"no dots", 2), (b"{}", 2), (b"\xff\xfe", 2), (b"", 2)],
)
def test_what_is_no_transaction_is_invalid(served: Served, body: bytes, number: int) -> None:
    """
    Given bytes that are no transaction,
    when they are posted,
    then the answer is 400 with the number of what is wrong.
    """
    assert problem(served.send(body), 400)["number"] == number


def test_many_are_answered_one_by_one(served: Served) -> None:
    """
    Given a batch with a good payment, one that is refused, and one with a wrong signature,
    when it is posted,
    then each has its own answer, in order.
    """
    good, rich, forged = (served.fixed.pay(amount) for amount in ("1.00", "999.00", "2.00"))
    head, _, signature = forged.rpartition(b".")
    forged = head + b"." + (b"B" if signature[:1] == b"A" else b"A") + signature[1:]
    texts = [wire.decode() for wire in (good, rich, forged)]
    answer = served.client.post("/v1/transactions", json={"transactions": texts})

    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [(one["state"], one.get("number", 0)) for one in results] == [
        ("applied", 0),
        ("refused", 2013),
        ("invalid", 22),
    ]


def test_general_json_is_rewritten_whatever_its_order(served: Served) -> None:
    """
    Given a payment in the general JSON serialization with members in another order and spaces,
    when it is posted as it is and within a batch,
    then it is applied.
    """
    for as_batch in (False, True):
        protected, payload, signature = served.fixed.pay("1.00").decode().split(".")
        general = {
            "signatures": [{"signature": signature, "protected": protected}],
            "payload": payload,
        }
        if as_batch:
            answer = served.client.post("/v1/transactions", json={"transactions": [general]})
            assert answer.json()["results"][0]["state"] == "applied"
        else:
            answer = served.client.post(
                "/v1/transactions",
                content=json.dumps(general, indent=2).encode(),
                headers={"content-type": "application/jose+json"},
            )
            assert answer.json()["state"] == "applied"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"transactions": []}',
        b'{"transactions": [1]}',
        b'{"transactions": ["a.b.c"], "more": 1}',
        b'{"transactions": "a.b.c"}',
        b'{"transactions": [' + b"[" * 5_000 + b"]" * 5_000 + b"]}",
    ],
)
def test_a_batch_that_is_none_is_a_bad_request(served: Served, body: bytes) -> None:
    """
    Given a body that is no batch,
    when it is posted as one,
    then nothing of it is taken in: 400, or each line is invalid.
    """
    headers = {"content-type": "application/json"}
    answer = served.client.post("/v1/transactions", content=body, headers=headers)

    if answer.status_code == 200:
        assert [one["state"] for one in answer.json()["results"]] == ["invalid"]
    else:
        problem(answer, 400)
    assert served.chain.head().height == 1


def test_bodies_that_are_too_long_or_packed_are_refused() -> None:
    """
    Given a node that takes bodies of 10,000 bytes,
    when a longer one is posted, with and without saying so, or a compressed one,
    then they are refused without being read to the end.
    """
    with serving(body_bytes=10_000) as served:
        headers = {"content-type": "application/jose"}
        long = b"x" * 20_000
        packed = gzip.compress(bytes(1_000_000))
        post = served.client.post
        problem(post("/v1/transactions", content=long, headers=headers), 413)
        problem(post("/v1/transactions", content=iter([long]), headers=headers), 413)
        zipped = headers | {"content-encoding": "gzip"}
        problem(post("/v1/transactions", content=packed, headers=zipped), 415)
        problem(post("/v1/transactions", content=b"x", headers={"content-type": "text/html"}), 415)


def test_more_than_the_rate_of_one_address_waits() -> None:
    """
    Given a node that takes 5 transactions a second from one address,
    when 20 are posted one after the other,
    then some are answered 429 with Retry-After, and all others are applied.
    """
    with serving(rate_per_s=5) as served:
        answers = [served.send(served.fixed.pay("0.01")) for _ in range(20)]
        later = [answer for answer in answers if answer.status_code == 429]

        assert later and all(answer.headers["retry-after"] == "1" for answer in later)
        assert {answer.status_code for answer in answers} == {200, 429}


def test_a_full_queue_says_so() -> None:
    """
    Given an engine that waits long for its block and queues two transactions,
    when a batch of four comes that does not wait,
    then two wait and two are not taken.
    """
    options = Options(queue_transactions=2, linger_ms=1_000)
    with serving(options) as served:
        texts = [served.fixed.pay("0.01").decode() for _ in range(4)]
        answer = served.client.post("/v1/transactions?wait=none", json={"transactions": texts})

        states = [one["state"] for one in answer.json()["results"]]
        assert states == ["pending", "pending", "not taken", "not taken"]


def test_what_is_not_decided_in_time_is_told_as_pending_and_happens() -> None:
    """
    Given an engine that waits long for its block, and a node that waits 50 ms for its answer,
    when payments are posted, one and then three at once, and an SDK submits the first again,
    then the first is 202 with its id, of the others each is pending, and all of them happen, once.
    """
    with serving(Options(linger_ms=2_000), decide_ms=50) as served:
        wires = [served.fixed.pay("1.00") for _ in range(4)]
        first = served.send(wires[0])
        texts = [wire.decode() for wire in wires[1:]]
        others = served.client.post("/v1/transactions", json={"transactions": texts})
        told = [first.json(), *others.json()["results"]]
        with HttpChain(served.address) as chain:
            done = chain.submit_many(wires)
            shop = chain.query(asset.balance, served.fixed.shop, served.fixed.cny)

        assert (first.status_code, others.status_code) == (202, 200)
        assert [one["state"] for one in told] == ["pending"] * 4
        assert [getattr(one, "id", one) for one in done] == [one["id"] for one in told]
        assert shop == asset.Holding(amount=Amount("4.00"))


def test_a_dry_run_says_what_would_happen_and_changes_nothing(served: Served) -> None:
    """
    Given the payload of a payment, the same in other order and with spaces, and one that is none,
    when they are tried,
    then the first two would be applied, the last is invalid, and the root has not moved.
    """
    root = served.chain.head().state_root
    payload = decode_envelope(served.fixed.pay("1.00")).payload
    headers = {"content-type": "application/json"}
    answer = served.client.post("/v1/dry-runs", content=payload, headers=headers)

    turned = json.dumps(dict(reversed(json.loads(payload).items())), indent=2).encode()
    again = served.client.post("/v1/dry-runs", content=turned, headers=headers)

    assert answer.json()["outcome"] == "applied"
    assert again.json() == answer.json()
    empty = served.client.post("/v1/dry-runs", content=b"{}", headers=headers)
    assert problem(empty, 400)["number"] == 7
    problem(served.client.post("/v1/dry-runs", content=payload), 415)
    assert served.chain.head().state_root == root


def test_somebody_elses_signature_is_told(served: Served) -> None:
    """
    Given a payment of alice that the bank's key signed,
    when it is posted,
    then it is invalid, with the threshold's number, and alice's nonce is free.
    """
    payload = decode_envelope(served.fixed.pay("1.00")).payload
    assert problem(served.send(sign(payload, [key("bank")])), 400)["number"] == 18
    assert served.send(sign(payload, [key("alice")])).status_code == 200
