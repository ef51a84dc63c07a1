"""Reading over HTTP: what was signed, rows, pages, proofs; and requests that make no sense."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate

from tests.node.conftest import Served, serving
from tests.node.test_submitting import problem
from tongbao.node.settings import lines
from tongbao.sdk.verification import verify


def get(served: Served, path: str) -> Any:
    """A good answer's JSON."""
    answer = served.client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_transaction_shows_exactly_what_was_signed(served: Served) -> None:
    """
    Given an applied payment,
    when it is asked for by its id,
    then the answer has the JWS and the payload as they were signed, and the receipt.
    """
    wire = served.fixed.pay("1.00")
    identifier = served.send(wire).json()["id"]
    found = get(served, f"/v1/transactions/{identifier}")

    assert (found["state"], found["height"], found["transaction"]) == ("applied", 2, wire.decode())
    assert found["payload"]["messages"][0]["amount"] == "1.00"
    assert found["receipt"]["outcome"] == "applied"


def test_an_unknown_transaction_tells_whether_it_can_still_happen(served: Served) -> None:
    """
    Given an id that no block holds,
    when it is asked for with an expiry that has passed, and with one to come,
    then the first never happens, the second may.
    """
    path = f"/v1/transactions/{'ab' * 32}"
    past = get(served, f"{path}?expires=1000")
    future = get(served, f"{path}?expires={2**50}")

    assert (past["state"], past["never"]) == ("unknown", True)
    assert future["state"] == "unknown" and "never" not in future


def test_blocks_are_listed_and_shown(served: Served) -> None:
    """
    Given a chain of three blocks,
    when blocks are listed by twos, and one is shown,
    then the pages join up, and the block lists who sent what.
    """
    served.send(served.fixed.pay("1.00"))
    first = get(served, "/v1/blocks?limit=2")
    second = get(served, f"/v1/blocks?limit=2&before={first['before']}")
    block = get(served, "/v1/blocks/2")

    heights = [line["height"] for page in (first, second) for line in page["blocks"]]
    assert (heights, second["before"]) == ([2, 1, 0], None)
    assert block["transactions"][0]["messages"] == ["asset.transfer"]
    assert block["state_root"] == get(served, "/v1")["state_root"]


def test_queries_of_modules_come_with_their_height(served: Served) -> None:
    """
    Given alice's holding,
    when the module's queries are asked, a single one and a page,
    then both have it, at the chain's height.
    """
    alice, cny = served.fixed.alice, served.fixed.cny
    one = get(served, f"/v1/asset/balance?account={alice}&asset={cny}")
    page = get(served, f"/v1/asset/held-by?account={alice}")

    assert one == {"height": 1, "value": {"@version": 1, "amount": "100.00"}}
    assert page["rows"] == [{"key": [alice, cny], "value": {"@version": 1, "amount": "100.00"}}]
    assert (page["height"], page["after"]) == (1, None)


def test_accounts_assets_and_holds_have_paths_of_their_own(served: Served) -> None:
    """
    Given a funded account with an open hold,
    when account, holdings, asset, supply and hold are asked for by their paths,
    then each is what the module's query says, and what is not there is 404.
    """
    fixed = served.fixed
    made = served.send(fixed.place("5.00", 120_000)).json()["receipt"]["ids"][0]
    for path, same in (
        (f"/v1/accounts/{fixed.alice}", f"/v1/account/show?address={fixed.alice}"),
        (f"/v1/accounts/{fixed.alice}/holdings", f"/v1/asset/held-by?account={fixed.alice}"),
        (f"/v1/accounts/{fixed.bank}/assets", f"/v1/asset/issued-by?issuer={fixed.bank}"),
        (f"/v1/accounts/{fixed.shop}/holds", f"/v1/hold/held-for?payee={fixed.shop}"),
        (f"/v1/accounts/{fixed.alice}/holds-placed", f"/v1/hold/placed-by?payer={fixed.alice}"),
        (f"/v1/assets/{fixed.cny}", f"/v1/asset/show?asset={fixed.cny}"),
        (f"/v1/assets/{fixed.cny}/supply", f"/v1/asset/supply?asset={fixed.cny}"),
        (f"/v1/holds/{made}", f"/v1/hold/show?hold={made}"),
    ):
        found = get(served, path)
        assert found == get(served, same)
        assert found.get("rows") or found.get("value")
    for path in (f"accounts/{'00' * 20}", f"assets/CNY.{'00' * 20}", f"holds/{'00' * 20}"):
        problem(served.client.get(f"/v1/{path}"), 404)


def test_rows_and_their_absence_are_proven(served: Served) -> None:
    """
    Given alice's holding, and one that the bank doesn't have,
    when their proofs are fetched and checked against the trust file,
    then one proves the amount, the other that there is none.
    """
    trust = served.client.get("/v1/trust").content
    query = f"key={served.fixed.alice}&key={served.fixed.cny}"
    proof = served.client.get(f"/v1/rows/asset.holdings/proof?{query}").content
    absent = served.client.get(
        f"/v1/rows/asset.holdings/proof?key={served.fixed.bank}&key={served.fixed.cny}"
    ).content

    assert verify(proof, trust).value["amount"] == "100.00"
    assert verify(absent, trust).value is None
    assert get(served, f"/v1/rows/asset.holdings?{query}")["value"]["amount"] == "100.00"


def test_several_rows_are_proven_at_one_height(served: Served) -> None:
    """
    Given a held and an absent balance,
    when proofs of both are asked for at once, and of none, too many, and unknown rows,
    then both verify at one height in the order asked for; the others are problems.
    """
    alice, bank, cny = served.fixed.alice, served.fixed.bank, served.fixed.cny
    rows = [{"table": "asset.holdings", "key": [owner, cny]} for owner in (alice, bank)]
    answer = served.client.post("/v1/proofs", json={"rows": rows})
    trust = served.client.get("/v1/trust").content
    found = [verify(json.dumps(proof).encode(), trust) for proof in answer.json()["proofs"]]

    assert [one.key for one in found] == [(alice, cny), (bank, cny)]
    assert [one.value and one.value["amount"] for one in found] == ["100.00", None]
    assert {one.height for one in found} == {answer.json()["height"]}
    for wrong, status in (([], 400), (rows * 129, 400), ([{"table": "no.table", "key": []}], 404)):
        problem(served.client.post("/v1/proofs", json={"rows": wrong}), status)


def test_a_transaction_proof_verifies(served: Served) -> None:
    """
    Given an applied payment,
    when its proof is fetched and checked,
    then it shows the payment; for an id that nothing has there is no proof.
    """
    identifier = served.send(served.fixed.pay("1.00")).json()["id"]
    trust = served.client.get("/v1/trust").content
    proof = served.client.get(f"/v1/transactions/{identifier}/proof").content

    assert verify(proof, trust).receipt["outcome"] == "applied"
    problem(served.client.get(f"/v1/transactions/{'00' * 32}/proof"), 404)


def test_min_height_waits_and_then_gives_up() -> None:
    """
    Given a node that waits 100 ms for a height,
    when a height is asked for that has come, and one that does not come,
    then the first is answered, the second is 503 with Retry-After.
    """
    with serving(wait_ms=100) as served:
        assert get(served, "/v1?min_height=1")["height"] == 1
        answer = served.client.get("/v1?min_height=2")
        problem(answer, 503)
        assert answer.headers["retry-after"] == "1"


def test_an_account_resolves_as_a_did_document(served: Served) -> None:
    """
    Given alice's account,
    when its DID document is fetched,
    then it names her key; an address without account has none.
    """
    answer = served.client.get(f"/v1/accounts/{served.fixed.alice}/did")
    found = answer.json()

    assert answer.headers["content-type"] == "application/did+json"
    assert found["id"].endswith(served.fixed.alice)
    assert len(found["verificationMethod"]) == 1
    problem(served.client.get(f"/v1/accounts/{'00' * 20}/did"), 404)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v2", 404),
        ("/v1/", 404),
        ("/v1/blocks/99", 404),
        ("/v1/blocks/-1", 400),
        ("/v1/blocks/1e1", 400),
        ("/v1/blocks/%00", 400),
        ("/v1/blocks?before=1&before=2", 400),
        ("/v1/blocks?limit=51", 400),
        ("/v1/transactions/zz", 400),
        (f"/v1/transactions/{'AB' * 32}", 400),
        ("/v1/rows/no.table?key=x", 404),
        ("/v1/rows/asset.holdings", 400),
        ("/v1/rows/asset.holdings?key=x&key=y", 400),
        ("/v1/rows/..%2f..%2fetc?key=x", 404),
        ("/v1/rows/asset.holdings?key=" + "a" * 40 + "&key=CNY%0a", 400),
        ("/v1/asset/balance", 400),
        ("/v1/asset/balance?account=%3Cscript%3E&asset=x", 400),
        ("/v1/asset/held-by?account=" + "a" * 40 + "&after=00", 400),
        ("/v1/asset/held-by?account=" + "a" * 40 + "&after=zz", 400),
        ("/v1/events?after=9.0", 400),
        ("/v1/events?after=1.0.0", 400),
        ("/v1/events?account=x", 400),
        ("/v1?min_height=x", 400),
        ("/v1?x[]=1", 400),
        ("/v1/reasons/99999", 404),
    ],
)
def test_nonsense_gets_a_problem(served: Served, path: str, status: int) -> None:
    """
    Given a path or parameters that make no sense,
    when they are asked for,
    then the answer is a problem that shows nothing of the caller's markup.
    """
    answer = served.client.get(path)

    problem(answer, status)
    assert "<script>" not in answer.text


def test_wrong_methods_name_the_right_ones(served: Served) -> None:
    """
    Given a path,
    when it is called with a method that it doesn't have,
    then the answer is 405 and names those that it has.
    """
    answer = served.client.delete("/v1/transactions")

    problem(answer, 405)
    assert answer.headers["allow"] == "POST"


def test_the_openapi_document_is_one_and_answers_conform(served: Served) -> None:
    """
    Given the OpenAPI document,
    when it is checked by another's validator, and answers by its schemas,
    then both hold.
    """
    document = get(served, "/openapi.json")
    validate(document)

    for path in ("/v1", "/v1/blocks", "/v1/blocks/1", "/v1/trust", "/v1/reasons/2013"):
        template = {"/v1/blocks/1": "/v1/blocks/{height}", "/v1/reasons/2013": ""}.get(path, path)
        shape = document["paths"][template or "/v1/reasons/{number}"]["get"]["responses"]["200"]
        schema = shape["content"]["application/json"]["schema"]
        whole = {**schema, "components": document["components"]}
        jsonschema.validate(get(served, path), whole)


def test_every_setting_has_a_meaning() -> None:
    """
    Given the table of settings,
    when it is read,
    then each has a meaning of its own.
    """
    meanings = [line.meaning for line in lines()]

    assert len(set(meanings)) == len(meanings) > 10


def test_health_and_metrics(served: Served) -> None:
    """
    Given a node,
    when its health and metrics are asked for,
    then it is alive and ready, counts its requests, and names no account.
    """
    served.send(served.fixed.pay("1.00"))
    text = served.client.get("/metrics").text

    assert get(served, "/readyz") == {"ready": True, "reasons": []}
    assert "tongbao_height 2.0" in text
    assert 'tongbao_requests_total{operation="submit",status="200"} 1.0' in text
    assert served.fixed.alice not in text
