"""What waits to be offered to CometBFT: fairly, bounded, and forgotten when nobody waits for it."""

from __future__ import annotations

import pytest

from tests.fixed_chain import FixedChain
from tongbao.engines.cometbft.tickets import Tickets
from tongbao.engines.payers_here import PayersHere
from tongbao.engines.solo import Busy, EngineStopped
from tongbao.kernel import Address, ChainId, Time
from tongbao.kernel.transaction import Payload, Transaction

ROOM = 400


def queue(limit: int, offered: int) -> Tickets:
    """A queue on a chain without quotas."""
    return Tickets(limit, offered, PayersHere(FixedChain().producer.machine), lambda: Time(0))


def transaction(sender: str, number: int) -> Transaction:
    """Something that a sender has sent; its messages matter to nobody here."""
    payload = Payload[object](  # type: ignore[type-var]
        chain=ChainId("c"), sender=Address(sender), nonce=number, expires=Time(number), messages=()
    )
    wire = f"{sender} {number}".encode()
    return Transaction(wire, wire, payload, (), ())


def offered(tickets: Tickets, most: int) -> list[str]:
    """The senders of the next ones, in their order."""
    return [ticket.transaction.payload.sender for ticket in tickets.take(most)]


def test_behind_a_flood_others_are_offered_in_turn() -> None:
    """
    Given one sender who sends until nothing more is taken, and another who then sends a few,
    when all is offered, as CometBFT takes it,
    then the other's come by turns behind what stood in order, and are all taken.
    """
    tickets = queue(ROOM, 1)

    def flood() -> None:
        for number in range(1, 2 * ROOM):
            tickets.put(transaction("flood", number))

    with pytest.raises(Busy):
        flood()
    for number in range(1, 6):
        tickets.put(transaction("other", number))
    found: list[str] = []
    while tickets.has_next:
        [ticket] = tickets.take(1)
        found.append(ticket.transaction.payload.sender)
        tickets.answer([(ticket.transaction.wire, EngineStopped("answered"))])
    assert found[: ROOM // 2] == ["flood"] * (ROOM // 2)
    assert found[ROOM // 2 :][:10] == ["flood", "other"] * 5
    assert len(tickets) == 0


def test_what_comes_back_goes_first() -> None:
    """
    Given three that were offered, and CometBFT that has forgotten them,
    when more is offered,
    then those are the first, in their order.
    """
    tickets = queue(ROOM, 100)
    for number, sender in enumerate("abcde", 1):
        tickets.put(transaction(sender, number))
    assert offered(tickets, 3) == ["a", "b", "c"]
    tickets.offer_again()
    assert offered(tickets, 5) == ["a", "b", "c", "d", "e"]


def test_places_of_those_who_have_expired_are_free_again() -> None:
    """
    Given a queue that is full while CometBFT takes nothing,
    when half of those who wait have expired,
    then as many new ones are taken, and what is offered are those who still wait.
    """
    tickets = queue(8, 1)
    taken = 0
    for number in range(1, 9):
        try:
            tickets.put(transaction(f"sender {number}", number))
            taken += 1
        except Busy:
            break
    with pytest.raises(Busy):
        tickets.put(transaction("late", 9))
    tickets.expire(taken // 2)
    for number in range(10, 10 + taken // 2):
        tickets.put(transaction(f"sender {number}", number))
    assert len(tickets) == taken
    [first] = tickets.take(8)
    assert first.transaction.payload.nonce == taken // 2 + 1
