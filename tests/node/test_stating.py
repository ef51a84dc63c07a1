"""Statements, exports and search over HTTP."""

from __future__ import annotations

import csv
import io
from typing import Any

from tests.fixed_chain import BEGIN
from tests.node.conftest import Served
from tests.node.test_recalling import get, pay
from tests.node.test_submitting import problem


def test_a_statement_joins_up_over_pages_and_says_how_far_the_index_is(served: Served) -> None:
    """
    Given seven payments after a deposit,
    when alice's statement is read by threes,
    then balances run from nothing to what is left, pages join up, and the index lacks nothing.
    """
    height = pay(served)
    fixed = served.fixed
    path = f"/v1/accounts/{fixed.alice}/statement"
    pages: list[Any] = []
    after: dict[str, str] = {}
    while True:
        page = get(served, path, asset=fixed.cny, limit=3, min_height=height, **after)
        pages.append(page)
        if page["after"] is None:
            break
        after = {"after": page["after"]}
    balances = [one["balance"] for page in pages for one in page["movements"]]

    assert balances == ["100.00", *(f"{left}.00" for left in range(99, 92, -1))]
    assert {(one["opening"], one["closing"]) for one in pages} == {("0.00", "93.00")}
    assert [one["carried"] for one in pages[:-1]] == [one["brought"] for one in pages[1:]]
    assert [(one["total_in"], one["total_out"]) for one in pages] == [
        ("100.00", "2.00"),
        ("0.00", "3.00"),
        ("0.00", "2.00"),
    ]
    assert [(one["height"], one["index_height"], one["lag_ms"]) for one in pages] == (
        [(height, height, 0)] * 3
    )


def test_a_period_has_an_opening_and_a_closing(served: Served) -> None:
    """
    Given a deposit in block 1 and payments after it,
    when a statement is asked for from then on, before then, and the wrong way round,
    then its balances are those of the period, and the last is refused.
    """
    height = pay(served, 2)
    fixed = served.fixed
    path = f"/v1/accounts/{fixed.alice}/statement"
    time = get(served, "/v1/blocks/1")["time"]

    def period(**times: Any) -> list[str]:
        found = get(served, path, asset=fixed.cny, min_height=height, **times)
        return [found["opening"], *(one["amount"] for one in found["movements"]), found["closing"]]

    assert period(**{"from": time + 1}) == ["100.00", "1.00", "1.00", "98.00"]
    assert period(**{"from": "1970-01-01", "to": time}) == ["0.00", "0.00"]
    assert period(to=time + 1) == ["0.00", "100.00", "100.00"]
    for query, status in (
        ({"asset": fixed.cny, "from": "2030-01-02", "to": "2030-01-01"}, 400),
        ({"asset": fixed.cny, "from": "yesterday"}, 400),
        ({"asset": fixed.cny, "after": "1.2"}, 400),
        ({"asset": f"USD.{fixed.bank}"}, 404),
    ):
        assert problem(served.client.get(path, params=query), status)


def test_an_export_is_the_statement_as_csv_and_as_json(served: Served) -> None:
    """
    Given payments,
    when alice's statement is exported in both forms,
    then both have the movements of the statement, and the sums are of all of them.
    """
    height = pay(served)
    fixed = served.fixed
    asked: dict[str, Any] = {"asset": fixed.cny, "min_height": height}
    base = f"/v1/accounts/{fixed.alice}"
    stated = get(served, f"{base}/statement", **asked)
    exported = get(served, f"{base}/export", format="json", **asked)
    answer = served.client.get(f"{base}/export", params=asked)
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    assert exported["movements"] == stated["movements"]
    for name in ("opening", "closing", "total_in", "total_out", "account", "asset"):
        assert exported[name] == stated[name]
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    assert [row["balance"] for row in rows] == [one["balance"] for one in stated["movements"]]
    assert rows[0]["reference"] == "deposit-1" and rows[0]["way"] == "in"
    assert exported["before_time"] > BEGIN


def test_a_search_finds_whole_names_and_beginnings(served: Served) -> None:
    """
    Given payments,
    when blocks, a transaction, accounts, assets and references are searched, also by a beginning,
    then each is found as what it is, and what nobody bears is not.
    """
    height = pay(served, 1)
    fixed = served.fixed
    identifier = get(served, f"/v1/blocks/{height}")["transactions"][0]["id"]

    def found(text: str, **more: Any) -> list[tuple[str, str]]:
        page = get(served, "/v1/search", text=text, min_height=height, **more)
        return [(one["kind"], one["name"]) for one in page["found"]]

    assert found(str(height))[0] == ("block", str(height))
    assert found(identifier) == [("transaction", identifier)]
    assert found(fixed.alice) == [("account", fixed.alice)]
    assert found(f"did:tongbao:fixed-01234567:{fixed.alice}") == [("account", fixed.alice)]
    assert found(fixed.shop[:6]) == [("account", fixed.shop)]
    assert found(fixed.cny) == [("asset", fixed.cny)]
    assert found("CN") == [("asset", fixed.cny)]
    assert found("deposit") == [("reference", "deposit-1")]
    assert found("nobody") == found("%") == found("' OR 1=1") == []
    assert len(found("d", limit=1)) == 1
