"""STREAM: an order for each new month, whenever the buyer looks, and never two."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tests.sdk.data.market import ADDRESSES, BOND, CNY, COUNT, DAY_MS, EGGS, RESEARCH
from tests.sdk.data.shop import Shop
from tongbao.kernel import Amount, Id
from tongbao.modules import data
from tongbao.rights.requests import Why
from tongbao.sdk.data.streaming import Stream


def stream(**changes: Any) -> Stream:
    """The count of each of alice's months, for 20.00."""
    usual = Stream(
        owner=ADDRESSES["alice"],
        schema=EGGS,
        fields=(COUNT,),
        purpose=RESEARCH,
        asset=CNY,
        price=Amount("20.00"),
        fee=Amount("1.00"),
        deletion_bond=BOND,
        keep_ms=20 * DAY_MS,
        why=Why("we follow what people eat"),
    )
    return replace(usual, **changes)


def test_each_new_month_is_ordered_once(shop: Shop) -> None:
    """
    Given a stream that has caught up,
    when two months come, and bob's program looks three times, once after a new start,
    then each is ordered once, in mode stream, and fetched with the others.
    """
    shop.folder.keep_stream("eggs", stream())
    shop.buyer.stream("eggs")
    months = [shop.batch(), shop.batch()]
    first = shop.buyer.stream("eggs")
    second, third = shop.buyer.stream("eggs"), shop.again().stream("eggs")
    rows = [shop.market.row(order) for order in first.values()]
    for order in first.values():
        shop.agent.seal(order)
    pulled = {one.order for one in shop.buyer.pull() if not one.why}

    assert (set(first), second, third) == (set(months), {}, {})
    assert {(row.mode, row.phase) for row in rows} == {("stream", "open")}
    assert pulled == set(first.values())


def test_a_month_whose_order_was_called_off_is_ordered_again_when_told(shop: Shop) -> None:
    """
    Given a month whose order was cancelled,
    when bob's program looks, and looks again for such,
    then only the second orders it anew.
    """
    shop.folder.keep_stream("eggs", stream())
    shop.buyer.stream("eggs")
    month = shop.batch()
    [order] = shop.buyer.stream("eggs").values()
    shop.buyer.cancel(order)
    usual, again = shop.buyer.stream("eggs"), shop.buyer.stream("eggs", again=True)

    assert usual == {}
    assert month in again and shop.market.phase(again[month]) == "open"


def test_a_correction_is_ordered_only_where_the_stream_says_so(shop: Shop) -> None:
    """
    Given an ordered month,
    when the club corrects it,
    then a usual stream lets it be, and one of corrections orders it.
    """
    shop.folder.keep_stream("eggs", stream())
    first = shop.batch()
    shop.buyer.stream("eggs")
    batch = shop.market.chain.query(data.batch, first)
    assert batch is not None
    second = shop.market.attest(
        batch.period, subject=batch.subject, version=data.Version(2), supersedes=Id(first)
    )
    usual = shop.buyer.stream("eggs")
    shop.folder.keep_stream("all", stream(corrections=True))
    corrected = shop.buyer.stream("all")

    assert (usual, list(corrected)) == ({}, [second])


def test_an_agent_that_refuses_stops_no_other_month(shop: Shop) -> None:
    """
    Given an agent that refuses the stream's requests for now,
    when bob's program looks, and looks once more when the agent has changed its mind,
    then the first tells the refusal, and the second orders.
    """
    shop.folder.keep_stream("eggs", stream())
    shop.buyer.stream("eggs")
    month = shop.batch()
    shop.agent.refuses = 5
    refused = shop.buyer.stream("eggs")
    shop.agent.refuses = None
    made = shop.buyer.stream("eggs")

    assert refused == {month: "403: a rule refuses it"}
    assert shop.market.phase(made[month]) == "open"
