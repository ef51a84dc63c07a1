"""Offers, the agent's copies, requests, earnings: what the person's side does of a sale."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.modules.data_steps import COUNT, DAY
from tests.services.data_agent.buying import Bought
from tests.services.data_agent.market import ADDRESSES, CNY
from tests.services.my_data.people import People
from tongbao.kernel import Id
from tongbao.modules import asset, data
from tongbao.sdk.client import Refused
from tongbao.services.my_data.asked import asked
from tongbao.services.my_data.collecting import collect
from tongbao.services.my_data.erasing import erase
from tongbao.services.my_data.offering import NotFound, offer, pull, withdraw
from tongbao.services.my_data.person import Person
from tongbao.services.my_data.statement import statement

CAROL = ADDRESSES["carol"]


@pytest.fixture
def seller(people: People, alice: Person) -> Person:
    """Alice with two months, and an offer of the counts that carol's agent seals."""
    given = people.consented(alice)
    for month in ("2026-01", "2026-02"):
        people.told(given, month)
    collect(alice)
    offer(alice, people.terms(), agent_of(people))
    return alice


def agent_of(people: People) -> str:
    """Where carol's agent is."""
    assert people.market.agent is not None
    return people.market.agent.address


def bought(people: People, person: Person) -> Bought:
    """Bob asks for all of a person's months, and orders them."""
    batches = [Id(one.batch) for one in person.notebook.batches]
    request = people.market.request(*batches, owner=person.account)
    for one in person.notebook.batches:
        people.market.batches[Id(one.batch)] = person.shelf.fetch(one.commitment)
    return Bought(people.market, request)


def test_the_agent_has_just_the_fields_that_offers_name(people: People, seller: Person) -> None:
    """
    Given an offer of one field, then one of two, then the first alone again,
    when the agent's copies are looked at,
    then each shows what offers name at the time, and none when no offer is left.
    """
    door = seller.door(CAROL)
    months = {one.batch for one in seller.notebook.batches}
    assert door.copies() == dict.fromkeys(months, (COUNT,))
    more, _ = offer(seller, people.terms(fields=(COUNT, DAY)), agent_of(people))
    assert {name: set(found) for name, found in door.copies().items()} == {
        name: {COUNT, DAY} for name in months
    }
    assert withdraw(seller, more)[0] == "offer"
    assert door.copies() == dict.fromkeys(months, (COUNT,))
    (first,) = seller.owned().offers
    withdraw(seller, first)
    assert door.copies() == {}


def test_a_month_without_rows_is_offered_as_any_other(people: People, alice: Person) -> None:
    """Given a month of no rows, when offered, then the agent takes its copy."""
    people.told(people.consented(alice), "2026-01", ())
    collect(alice)
    _, settled = offer(alice, people.terms(), agent_of(people))
    assert (len(settled.given), settled.troubles) == (1, [])


def test_rows_that_came_after_the_offer_go_to_the_agent_too(people: People, seller: Person) -> None:
    """Given an offer, when another month is collected, then the agent has it."""
    given = people.consented(seller)
    people.told(given, "2026-03")
    found = collect(seller)
    assert found.settled is not None and len(found.settled.given) == 1
    assert len(seller.door(CAROL).copies()) == 3


def test_a_sale_is_seen_earned_and_pulled_to_the_cent(people: People, seller: Person) -> None:
    """
    Given a sale that bob has accepted, for 20.00 less a fee of 1.00,
    when requests, statement and account are looked at,
    then who, what, why and the price are there, and 19.00 is earned, and pulled once.
    """
    sale = bought(people, seller)
    chunks = sale.fetch()
    sale.confirm()
    assert sale.rows(chunks) == [1, 2, 3, 1, 2, 3]
    people.market.send("bob", data.Accept(order=sale.order))
    (line,) = asked(seller, seller.owned()).asked
    assert (line.order, line.buyer, line.state) == (sale.order, ADDRESSES["bob"], "settled")
    assert (line.why, line.price) == (sale.request.why, "20.00")
    found = statement(seller.owned())
    assert found.totals == {CNY: "19.00"}
    assert [(one.buyer, one.grants, one.amount) for one in found.lines] == [
        (ADDRESSES["bob"], 1, "19.00")
    ]
    assert pull(seller) == {CNY: "19.00"}
    assert pull(seller) == {}
    held = seller.chain.query(asset.balance, seller.account, CNY)
    assert held is not None and str(held.amount) == "19.00"


def test_a_request_that_was_refused_is_seen_with_its_rule(people: People, seller: Person) -> None:
    """Given a request for more than was offered, when the log is read, then it says so."""
    batches = tuple(Id(one.batch) for one in seller.notebook.batches)
    request = people.market.request(*batches, owner=seller.account)
    answer = people.market.ask(replace(request, purpose=data.Purpose("dpv:Advertising")))
    assert answer.status_code == 403
    (line,) = asked(seller, seller.owned()).asked
    assert (line.state, line.number, line.purpose) == ("refused", 6, "dpv:Advertising")
    assert line.why == request.why and line.rule


def test_an_order_is_withdrawn_in_one_action_until_it_is_revealed(
    people: People, seller: Person
) -> None:
    """Given a sealed order, when withdrawn, then bob has his money and nobody the data."""
    sale = bought(people, seller)
    people.market.reach(sale.order, "sealed")
    assert withdraw(seller, sale.order)[0] == "order"
    assert people.market.shown(sale.order).phase == "withdrawn"
    with pytest.raises(Refused):
        withdraw(seller, sale.order)
    with pytest.raises(NotFound):
        withdraw(seller, "00" * 20)


def test_erasing_ends_a_month_at_ledger_store_and_agent(people: People, seller: Person) -> None:
    """
    Given a month that is offered, and an order for it,
    when it is erased in one action,
    then it is retired, the order withdrawn, copy and blob are gone, and receipts say so.
    """
    sale = bought(people, seller)
    people.market.reach(sale.order, "sealed")
    first, second = seller.notebook.batches
    (done,) = erase(seller, first.batch)
    owned = seller.owned()
    assert owned.batches[first.batch].retired and owned.is_live(second.batch)
    assert people.market.shown(sale.order).phase == "withdrawn"
    assert set(seller.door(CAROL).copies()) == {second.batch}
    assert first.commitment not in seller.shelf.names()
    assert done.done_at is not None and done.left == () and done.store is not None
    assert done.store["name"] == first.commitment
    assert [one.batch for one in seller.notebook.batches] == [second.batch]
    assert len(owned.offers) == 1
    # The last month goes with the offer, which would be of nothing.
    erase(seller, second.commitment)
    assert seller.owned().offers == {}
    assert seller.door(CAROL).copies() == {}
