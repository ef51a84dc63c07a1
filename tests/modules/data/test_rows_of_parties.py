"""Whose rows batches, offers, bonds and orders are, where rows are counted by owner."""

from __future__ import annotations

from tests.modules.data_steps import B, Market, buyer_key
from tongbao.kernel import Amount, Id, KernelWhy
from tongbao.kernel.kernel_module import COMMON_CAPACITY, COMMON_PER_MINUTE, COMMON_ROWS, QUOTAS
from tongbao.modules import data, sponsor
from tongbao.modules.data import Period
from tongbao.testing import CNY


def counted(rows: int = 10_000) -> Market:
    """A market under quotas, with room for so many rows in common."""
    plenty = {COMMON_CAPACITY.name: 10_000, COMMON_PER_MINUTE.name: 10_000}
    return Market({QUOTAS.name: 1, COMMON_ROWS.name: rows, **plenty})


def confirmed(rows: int = 10_000) -> tuple[Market, Id]:
    """Such a market with a confirmed order."""
    market = counted(rows)
    return market, market.confirmed()


def rows(market: Market, name: str) -> int:
    """How many counted rows somebody owns."""
    view = market.view(sponsor.module)
    return sponsor.storage(view, market.address(name)).rows


def together(market: Market) -> int:
    """How many rows all in common own."""
    return sponsor.storage(market.view(sponsor.module), market.address("alice")).together


def test_each_row_is_its_makers() -> None:
    """
    Given a market under quotas, with a source, an agent, an owner and a buyer,
    when a month is committed, an offer made, a bond posted, an order placed, revealed and settled,
    then each row is its maker's, a month of a source is one more, and the licence is nobody's.
    """
    market = counted()
    names = ("club", "alice", "carol", "bob")
    before = {name: rows(market, name) for name in names}
    market.apply("alice", market.offering())
    market.apply("bob", data.PostBond(asset=CNY, amount=Amount("1.00")))
    market.apply("club", market.committing(period=Period("2026-04")))
    order = market.revealed()
    market.apply("bob", data.Accept(order=order))

    more = {name: rows(market, name) - before[name] for name in names}
    assert more == {"club": 2, "alice": 1, "carol": 0, "bob": 2}
    market.apply("bob", data.WithdrawBond(asset=CNY, amount=Amount("1.00")))
    market.apply("alice", data.WithdrawOffer(offer=market.offer))
    assert (rows(market, "bob"), rows(market, "alice")) == (before["bob"] + 1, before["alice"])


def test_a_buyer_without_room_for_rows_orders_nothing_and_stops_no_reveal() -> None:
    """
    Given a confirmed order, and no room for another row,
    when its buyer orders again, and its seller reveals,
    then the order is refused and the reveal is not: the seller's secret is out when it is sent.
    """
    market, order = confirmed(together(confirmed()[0]))
    with market.refuses(KernelWhy.STORAGE_IS_FULL):
        market.apply("bob", market.ordering(buyer_key=buyer_key(77)))
    market.apply("carol", data.Reveal(order=order, b=B))
    assert market.shown(order).phase == "revealed"
