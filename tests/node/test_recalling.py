"""History over HTTP: pages, heights, waiting, refusals; what is told without an index."""

from __future__ import annotations

from typing import Any

import pytest

from tests.node.conftest import Served, serving
from tests.node.test_submitting import problem

PAYMENTS = 7


def pay(served: Served, count: int = PAYMENTS) -> int:
    """Payments of alice to the shop, each in a block; the last one's height."""
    for _ in range(count):
        answer = served.send(served.fixed.pay("1.00"))
        assert answer.status_code == 200, answer.text
    return int(answer.json()["height"])


def get(served: Served, path: str, **query: Any) -> Any:
    """A good answer's JSON."""
    answer = served.client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_movements_of_an_account_come_in_pages_with_both_heights(served: Served) -> None:
    """
    Given seven payments,
    when the shop's movements are read by threes, at the height of the last payment,
    then the pages have each once, the newest first, and say how far index and chain are.
    """
    height = pay(served)
    path = f"/v1/accounts/{served.fixed.shop}/movements"
    found: list[Any] = []
    before: dict[str, str] = {}
    while True:
        page = get(served, path, limit=3, min_height=height, **before)
        assert (page["height"], page["index_height"]) == (height, height)
        found += page["movements"]
        if page["before"] is None:
            break
        before = {"before": page["before"]}
    identifier = get(served, f"/v1/blocks/{height}")["transactions"][0]["id"]

    assert [one["height"] for one in found] == list(range(height, height - PAYMENTS, -1))
    assert found[0] == {
        "height": height,
        "index": 0,
        "place": 0,
        "time": found[0]["time"],
        "id": identifier,
        "asset": served.fixed.cny,
        "amount": "1.00",
        "payer": served.fixed.alice,
        "payee": served.fixed.shop,
        "reference": None,
    }


def test_transactions_assets_and_references_are_recalled(served: Served) -> None:
    """
    Given the first deposit under a reference, and payments,
    when transactions of alice, movements of the asset and the reference are asked for,
    then each has what belongs to it.
    """
    height = pay(served)
    fixed = served.fixed
    sent = get(served, f"/v1/accounts/{fixed.alice}/transactions", min_height=height)
    moved = get(served, f"/v1/assets/{fixed.cny}/movements", min_height=height)
    bearing = get(served, "/v1/references/deposit-1", min_height=height)
    other = get(
        served, f"/v1/accounts/{fixed.alice}/movements", asset=f"USD.{fixed.bank}", min_height=1
    )

    assert [one["sender"] for one in sent["transactions"]] == [fixed.alice] * 7 + [fixed.bank]
    assert [one["amount"] for one in moved["movements"]] == ["1.00"] * 7 + ["100.00"]
    assert moved["movements"][-1]["reference"] == "deposit-1"
    assert [one["height"] for one in bearing["transactions"]] == [1]
    assert other["movements"] == []


@pytest.mark.parametrize(
    "path",
    [
        "/v1/accounts/x/movements",
        "/v1/accounts/" + "a" * 40 + "/movements?before=1",
        "/v1/accounts/" + "a" * 40 + "/movements?before=1.16777216.0",
        "/v1/accounts/" + "a" * 40 + "/movements?limit=0",
        "/v1/accounts/" + "a" * 40 + "/movements?limit=101",
        "/v1/accounts/" + "a" * 40 + "/movements?asset=%27%20OR%201%3D1",
        "/v1/accounts/" + "a" * 40 + "/transactions?asset=x",
        "/v1/assets/CNY/movements",
        "/v1/references/%27%3B%20DROP%20TABLE%20chunks",
        "/v1/references/" + "a" * 36,
    ],
)
def test_nonsense_about_history_is_refused(served: Served, path: str) -> None:
    """
    Given a path or parameters that make no sense,
    when they are asked for,
    then the answer is 400.
    """
    problem(served.client.get(path), 400)


def test_a_height_that_the_index_does_not_reach_is_503() -> None:
    """
    Given a node that waits 50 ms,
    when history of a height to come is asked for,
    then the answer is 503 and says that the index is not there yet.
    """
    with serving(wait_ms=50) as served:
        path = f"/v1/accounts/{served.fixed.shop}/movements?min_height=99"
        document = problem(served.client.get(path), 503)

    assert "index did not reach height 99" in document["detail"]


def test_a_node_without_an_index_says_so_and_serves_the_rest() -> None:
    """
    Given a node whose setting `index` is none,
    when history and the chain are asked for,
    then history is 503 with the reason, and the chain is served.
    """
    with serving(index="none") as served:
        pay(served, 1)
        document = problem(served.client.get("/v1/references/deposit-1"), 503)
        metrics = served.client.get("/metrics").text
        chain = get(served, "/v1")

    assert "index" in document["detail"]
    assert "tongbao_index_height -1.0" in metrics
    assert chain["height"] == 2


def test_metrics_tell_how_far_the_index_is(served: Served) -> None:
    """
    Given a node that has indexed its blocks,
    when its metrics are read,
    then they have the index's height and no lag.
    """
    height = pay(served, 2)
    get(served, "/v1/references/deposit-1", min_height=height)
    text = served.client.get("/metrics").text

    assert f"tongbao_index_height {height}.0" in text
    assert "tongbao_index_lag_blocks 0.0" in text
