"""What the ledger refuses about orders: each check of the transition table."""

from __future__ import annotations

import pytest

from tests.modules.data_steps import (
    COUNT,
    DAY,
    EGGS,
    HOUR_MS,
    SELF,
    B,
    Market,
    hash_of,
)
from tongbao.kernel import Amount, Hash, Id, PublicKey, Reason, Small, Time
from tongbao.modules import asset, data
from tongbao.modules.data import (
    Chunks,
    DailyCap,
    Field,
    Mode,
    Purpose,
    Region,
    Schema,
    Verdict,
    Why,
)
from tongbao.testing import mallory

NOWHERE = Id("cd" * 20)
UPHELD, REJECTED = Verdict("upheld"), Verdict("rejected")


@pytest.fixture
def market() -> Market:
    """A market."""
    return Market()


def test_an_order_is_refused_that_asks_too_much(market: Market) -> None:
    """
    Given bob, registered for two fields of eggs and for research,
    when he asks for more, or for another's, or with money and times that can't be,
    then each order is refused with its reason.
    """
    market.apply("bank", data.DefineSchema(schema=Schema("milk.1"), fields=(DAY,)))
    other = market.must(
        market.apply("mallory", market.committing(owner=mallory, method=SELF, subject=hash_of(1)))
    )
    retired = market.must(market.apply("club", market.committing(subject=hash_of(8))))
    market.apply("alice", data.Retire(batch=retired))
    used = market.ordering()
    market.apply("bob", used)
    zero = PublicKey("A" * 43)
    wrong: list[tuple[Reason, data.PlaceOrder]] = [
        (Why.PURPOSE_IS_NOT_REGISTERED, market.ordering(purpose=Purpose("dpv:Marketing"))),
        (Why.SCHEMA_NOT_FOUND, market.ordering(schema=Schema("none.1"))),
        (Why.FIELD_NOT_FOUND, market.ordering(fields=(Field("name"),))),
        (Why.FIELD_IS_NOT_REGISTERED, market.ordering(schema=Schema("milk.1"), fields=(DAY,))),
        (Why.WORD_IS_DOUBLED, market.ordering(fields=(DAY, DAY))),
        (Why.WORD_IS_DOUBLED, market.ordering(batches=(market.batch, market.batch))),
        (Why.BATCH_NOT_FOUND, market.ordering(batches=(NOWHERE,))),
        (Why.BATCH_IS_NOT_OWNERS, market.ordering(batches=(other,))),
        (Why.BATCH_IS_NOT_LIVE, market.ordering(batches=(retired,))),
        (Why.ACCOUNT_NOT_FOUND, market.ordering(owner=Id("ab" * 20))),
        (Why.ASSET_NOT_FOUND, market.ordering(asset=f"NONE.{mallory}")),
        (Why.DECIMALS_DIFFER, market.ordering(price=Amount("20.000"))),
        (Why.PRICE_IS_NOT_ABOVE_FEE, market.ordering(fee=Amount("20.00"))),
        (Why.SEAL_TIME_IS_WRONG, market.ordering(seal_by=market.in_days(8))),
        (Why.DELETION_TIME_IS_WRONG, market.ordering(delete_by=market.in_days(1))),
        (Why.KEY_IS_NOT_ACCEPTABLE, market.ordering(buyer_key=zero)),
        (Why.KEY_WAS_USED, market.ordering(buyer_key=used.buyer_key)),
        (asset.Why.BALANCE_IS_TOO_LOW, market.ordering(price=Amount("5000.00"))),
    ]
    for why, order in wrong:
        with market.refuses(why):
            market.apply("bob", order)
    with market.refuses(Why.BUYER_IS_NOT_ACTIVE):
        market.apply("mallory", market.ordering())


def test_a_seal_is_refused_beyond_the_offer(market: Market) -> None:
    """
    Given alice's offer: 10.00 at least, research, China, 30 days; and one capped at three a day,
    when carol seals what it does not cover,
    then each is refused, though alice herself seals by the same offer only, too.
    """
    wrong: list[tuple[Reason, Id]] = [
        (Why.PRICE_IS_BELOW_FLOOR, market.opened(price=Amount("9.99"))),
        (Why.OFFER_DOES_NOT_COVER, market.opened(mode=Mode("store"))),
        (Why.RETENTION_IS_TOO_LONG, market.opened(delete_by=market.in_days(31))),
    ]
    for why, order in wrong:
        with market.refuses(why):
            market.apply("carol", market.sealing(order))
    order = market.opened()
    with market.refuses(Why.OFFER_NOT_FOUND):
        market.apply("carol", market.sealing(order, offer=NOWHERE))
    market.apply("bank", market.registering(region=Region("DE")))
    with market.refuses(Why.OFFER_DOES_NOT_COVER):
        market.apply("alice", market.sealing(order))
    market.apply("bank", market.registering())
    capped = market.offering(daily_cap=DailyCap(3))
    market.offer = market.must(market.apply("alice", capped))
    for _ in range(3):
        market.sealed("alice")
    with market.refuses(Why.DAILY_CAP_IS_REACHED):
        market.apply("carol", market.sealing(order))


def test_a_seal_is_refused_without_bond_buyer_or_batch(market: Market) -> None:
    """
    Given open orders,
    when carol's bond is too low, the buyer is suspended, or a batch is no longer live,
    then she can't seal.
    """
    dear, order = market.opened(price=Amount("100.01")), market.opened()
    with market.refuses(Why.BOND_IS_TOO_LOW):
        market.apply("carol", market.sealing(dear))
    market.apply("bank", data.SuspendEnterprise(enterprise=market.address("bob")))
    with market.refuses(Why.BUYER_IS_NOT_ACTIVE):
        market.apply("carol", market.sealing(order))
    market.apply("bank", market.registering())
    market.apply("alice", data.Retire(batch=market.batch))
    with market.refuses(Why.BATCH_IS_NOT_LIVE):
        market.apply("carol", market.sealing(order))


def test_confirm_and_reveal_say_what_was_sealed(market: Market) -> None:
    """
    Given a sealed order,
    when the buyer confirms another root, or the agent reveals another b,
    then it is refused.
    """
    order = market.sealed()
    with market.refuses(Why.SEAL_DIFFERS):
        market.apply("bob", market.confirming(order, package_root=hash_of(4)))
    market.apply("bob", market.confirming(order))
    with market.refuses(Why.LOCK_DOES_NOT_OPEN):
        market.apply("carol", data.Reveal(order=order, b=Hash("cc" * 32)))


def test_a_package_that_could_not_open_is_not_sealed(market: Market) -> None:
    """
    Given an open order,
    when it is sealed with three chunks, as no padded text has, and with four,
    then only the second is applied.
    """
    order = market.opened()
    with market.refuses(Why.CHUNKS_ARE_NOT_PADDED):
        market.apply("carol", market.sealing(order, chunks=Chunks(3)))
    market.apply("carol", market.sealing(order))


def test_a_frozen_order_is_not_revealed_until_the_freeze_ends(market: Market) -> None:
    """
    Given a confirmed order that a supervisor freezes for an hour,
    when the agent reveals within that hour and after it,
    then only the second is applied; and a freeze has an end within its limit.
    """
    order = market.confirmed()
    until = Time(market.time + HOUR_MS)
    with market.refuses(Why.FREEZE_IS_WRONG):
        market.apply("bank", data.Freeze(order=order, until=market.in_days(31), reason=Small(1)))
    market.apply("bank", data.Freeze(order=order, until=until, reason=Small(1)))
    with market.refuses(Why.ORDER_IS_FROZEN):
        market.apply("carol", data.Reveal(order=order, b=B))
    market.pass_time(HOUR_MS)
    market.apply("carol", data.Reveal(order=order, b=B))

    assert market.shown(order).phase == "revealed"


def test_a_claim_needs_three_without_a_conflict() -> None:
    """
    Given two adjudicators who serve,
    when the buyer claims,
    then it is refused: no panel of two decides.
    """
    market = Market(seats=2)
    order = market.revealed()
    with market.refuses(Why.PANEL_IS_TOO_SMALL):
        market.apply("bob", data.Claim(order=order, evidence_hash=B))


def test_each_of_a_panel_votes_once_and_nobody_else(market: Market) -> None:
    """
    Given a claim,
    when one of the panel votes twice, and a supervisor votes before the deadline,
    then both are refused.
    """
    order = market.claimed()
    market.apply("ann", data.Vote(order=order, verdict=UPHELD))
    with market.refuses(Why.SENDER_HAS_VOTED):
        market.apply("ann", data.Vote(order=order, verdict=UPHELD))
    with market.refuses(Why.SENDER_IS_NOT_ON_PANEL):
        market.apply("bank", data.Vote(order=order, verdict=UPHELD))


def test_only_granted_fields_are_asked_for(market: Market) -> None:
    """
    Given an offer for one field,
    when an order for another one is sealed by it,
    then it is refused.
    """
    narrow = market.must(market.apply("alice", market.offering(fields=(COUNT,))))
    order = market.opened(fields=(DAY,), schema=EGGS)
    with market.refuses(Why.OFFER_DOES_NOT_COVER):
        market.apply("carol", market.sealing(order, offer=narrow))
