"""Whole sales over HTTP between separate processes, and what is left of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from tests.services.data_agent.buying import Bought
from tests.services.data_agent.looking import earned, row_of, until_over, until_step, until_tidy
from tests.services.data_agent.market import ADDRESSES, CNY, Market, market
from tongbao.kernel import Amount
from tongbao.modules import data
from tongbao.rights.requests import grant_hash
from tongbao.services.data_agent.folder import read_settings
from tongbao.services.data_agent.refusals import Refusal

PAID = 1_900
"""20.00 less a fee of 1.00, in units."""


def test_a_person_s_rows_are_sold_by_an_agent_and_opened_by_the_buyer(shop: Market) -> None:
    """Given a copy at an agent, when bob buys, then he has what was granted and alice her money."""
    before = earned(shop)
    bought = Bought(shop, shop.request(shop.march))
    chunks = bought.fetch()
    bought.confirm()
    assert bought.rows(chunks) == [1, 2, 3]
    shop.send("bob", data.Accept(order=bought.order))
    assert earned(shop) - before == PAID


def test_at_every_end_the_secrets_and_the_package_are_gone(shop: Market) -> None:
    """Given orders that end in several ways, when over, then no a, b, envelope or chunk is left."""
    done = Bought(shop, shop.request(shop.march))
    done.fetch()
    blob = row_of(shop, done.order)["blob"]
    done.confirm()
    shop.reach(done.order, "revealed")
    shop.send("bob", data.Accept(order=done.order))
    cancelled = Bought(shop, shop.request(shop.march))
    shop.reach(cancelled.order, "sealed")
    shop.send("bob", data.CancelOrder(order=cancelled.order))
    withdrawn = Bought(shop, shop.request(shop.march))
    shop.reach(withdrawn.order, "sealed")
    shop.send("alice", data.WithdrawOrder(order=withdrawn.order))
    for one, phase in ((done, "settled"), (cancelled, "cancelled"), (withdrawn, "withdrawn")):
        until_over(shop, one.order, phase)
        with shop.asking("bob") as client:
            for path in ("", "/chunks"):
                answer = client.get(f"/v1/deliveries/{one.order}{path}")
                assert answer.status_code == httpx2.codes.NOT_FOUND
    until_tidy(shop)
    settings = read_settings(shop.agent_folder)
    assert not list(Path(shop.place / "store").rglob(f"*{blob}*")), settings.store


def test_both_sides_have_the_receipt_also_after_the_end(shop: Market) -> None:
    """Given an order that was cancelled, when asked, then owner and buyer get its receipt alone."""
    bought = Bought(shop, shop.request(shop.march))
    grant = shop.reach(bought.order, "sealed").grant_hash
    shop.send("bob", data.CancelOrder(order=bought.order))
    for who, status in (("alice", 200), ("bob", 200), ("mallory", 404)):
        with shop.asking(who) as client:
            answer = client.get(f"/v1/receipts/{bought.order}")
        assert answer.status_code == status
        if status == httpx2.codes.OK:
            assert grant_hash(answer.content).hex() == grant


def test_deliveries_are_listed_to_their_buyer_alone_and_go_on_after_a_cursor(shop: Market) -> None:
    """Given two sealed orders, when bob lists after the first, then the second; mallory nothing."""
    orders = [Bought(shop, shop.request(shop.march)) for _ in range(2)]
    for one in orders:
        until_step(shop, one.order, "sealed")
    with shop.asking("bob") as client:
        told = client.get("/v1/deliveries").json()["deliveries"]
        names = [line["order"] for line in told]
        assert [one.order for one in orders] == names[-2:]
        rest = client.get(f"/v1/deliveries?after={told[-2]['cursor']}").json()
        assert [line["order"] for line in rest["deliveries"]] == [orders[1].order]
        assert rest["next"] is None
    with shop.asking("mallory") as client:
        assert client.get("/v1/deliveries").json()["deliveries"] == []
        answer = client.get(f"/v1/deliveries/{orders[0].order}")
    assert answer.status_code == httpx2.codes.NOT_FOUND
    for one in orders:
        shop.send("bob", data.CancelOrder(order=one.order))


def test_packages_of_people_with_few_and_many_rows_are_equally_long(shop: Market) -> None:
    """Given months of 1 row and of 60, when sold together or apart, then the sizes are the same."""
    lone = [shop.committed(f"2025-{month:02}", [1]) for month in range(1, 13)]
    many = [shop.committed(f"2024-{month:02}", [2] * 60) for month in range(1, 13)]
    sizes = []
    for months in (lone, many, lone[:1], many[:1]):
        for name in months:
            assert shop.bring(name).status_code == 200
        bought = Bought(shop, shop.request(*months))
        sizes.append(shop.reach(bought.order, "sealed").chunks)
        shop.send("bob", data.CancelOrder(order=bought.order))
    assert sizes[0] == sizes[1] and sizes[2] == sizes[3]
    assert sizes == [4, 4, 1, 1]


def test_an_event_told_in_two_months_is_not_sold_in_one_package(shop: Market) -> None:
    """Given a row that is in two batches, when both are ordered, then the agent refuses by rule."""
    first = shop.committed("2023-01", [1, 2])
    second = shop.committed("2023-02", [3, 4], repeats=first)
    for name in (first, second):
        assert shop.bring(name).status_code == 200
    bought = Bought(shop, shop.request(first, second))
    row = until_step(shop, bought.order, "refused")
    assert row["refused"] == Refusal.EVENT_IS_REPEATED.number
    alone = Bought(shop, shop.request(second))
    shop.reach(alone.order, "sealed")
    for one in (bought, alone):
        shop.send("bob", data.CancelOrder(order=one.order))


def test_no_halves_are_used_for_two_orders(shop: Market) -> None:
    """Given many orders of one batch, when sealed, then no lock or commitment comes twice."""
    orders = [Bought(shop, shop.request(shop.march)) for _ in range(6)]
    rows = [shop.reach(one.order, "sealed") for one in orders]
    assert len({row.b_lock for row in rows} | {row.a_commit for row in rows}) == 2 * len(rows)
    assert len({row.package_root for row in rows}) == len(rows)
    for one in orders:
        shop.send("bob", data.CancelOrder(order=one.order))


def test_an_order_without_its_request_is_sealed_once_the_request_is_heard(shop: Market) -> None:
    """Given an order of a request that was never sent, when it comes later, then it is sealed."""
    request = shop.request(shop.march)
    order = shop.order(request, msgspec.json.encode(request.delete_by).ljust(32, b"1"))
    row = until_step(shop, order, "refused")
    assert row["refused"] == Refusal.REQUEST_IS_UNKNOWN.number
    assert shop.ask(request).status_code == httpx2.codes.OK
    assert shop.reach(order, "sealed").seller == ADDRESSES["carol"]
    shop.send("bob", data.CancelOrder(order=order))


@pytest.mark.parametrize("changes", [{"price": Amount("19.99")}, {"fee": Amount("0.99")}])
def test_an_order_with_other_terms_than_its_request_is_refused(
    shop: Market, changes: dict[str, Any]
) -> None:
    """Given an order that pays less than was asked, when it comes, then it is refused by rule."""
    request = shop.request(shop.march)
    assert shop.ask(request).status_code == httpx2.codes.OK
    secret = msgspec.json.encode(str(changes)).ljust(32, b"2")[:32]
    order = shop.order(request, secret, **changes)
    row = until_step(shop, order, "refused")
    assert row["refused"] == Refusal.ORDER_DIFFERS.number
    shop.send("bob", data.CancelOrder(order=order))


def test_a_request_is_for_one_order(shop: Market) -> None:
    """Given an order that was sealed, when another of its request comes, then it is refused."""
    bought = Bought(shop, shop.request(shop.march))
    shop.reach(bought.order, "sealed")
    other = shop.order(bought.request, b"3" * 32)
    row = until_step(shop, other, "refused")
    assert row["refused"] == Refusal.REQUEST_IS_USED.number
    for name in (bought.order, other):
        shop.send("bob", data.CancelOrder(order=name))


def test_a_seal_whose_nonce_somebody_else_took_is_made_anew(shop: Market) -> None:
    """Given that carol's account sends elsewhere, when the next order comes, then it is sealed."""
    first = Bought(shop, shop.request(shop.march))
    shop.reach(first.order, "sealed")
    shop.wallets["carol"].forget_nonce()
    shop.send("carol", data.PostBond(asset=CNY, amount=Amount("1.00")))
    second = Bought(shop, shop.request(shop.march))
    shop.reach(second.order, "sealed")
    for one in (first, second):
        shop.send("bob", data.CancelOrder(order=one.order))


def test_b_is_not_sent_within_the_margin(tmp_path: Path) -> None:
    """Given less time than the margin, when confirmed, then b is never sent and the bond pays."""
    with market(tmp_path, {data.REVEAL_MS.name: 3_000}) as shop:
        shop.start()
        batch = shop.committed("2026-03", [1])
        shop.bring(batch)
        bought = Bought(shop, shop.request(batch))
        bought.fetch()
        bought.confirm()
        until_step(shop, bought.order, "withheld")
        assert shop.reach(bought.order, "lapsed").b is None
        until_over(shop, bought.order, "lapsed")
        assert earned(shop) == PAID + 100  # the price out of carol's bond
