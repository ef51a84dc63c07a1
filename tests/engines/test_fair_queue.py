"""The queue of transactions: in order while it is short, by turns when it is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongbao.engines.fair_queue import FairQueue, Full


def emptied(queue: FairQueue[str]) -> list[str]:
    """All that waits, as it comes out."""
    return [queue.pop() for _ in range(len(queue))]


def test_a_short_queue_keeps_the_order_in_which_everybody_came() -> None:
    """
    Given fewer transactions than the places in order,
    when they are taken,
    then they come as they were sent, whoever sent them.
    """
    queue: FairQueue[str] = FairQueue(20)
    sent = [f"{name}{number}" for number in range(3) for name in "aab"]
    for one in sent:
        queue.add(one[0], one)
    assert emptied(queue) == sent


def test_behind_a_flood_another_sender_waits_for_one_turn_alone() -> None:
    """
    Given one sender who fills the places in order and more,
    when another one comes,
    then the next place that is free is the first one's, and the one after it the other's.
    """
    queue: FairQueue[str] = FairQueue(40)
    for number in range(25):
        queue.add("flood", f"flood {number}")
    queue.add("other", "other 0")
    assert emptied(queue).index("other 0") == 21


def test_a_flood_is_refused_before_there_is_no_room_for_others() -> None:
    """
    Given one sender who sends until the queue refuses it,
    when ten others send,
    then each of them gets a place.
    """
    queue: FairQueue[str] = FairQueue(100)
    for _ in range(75):
        queue.add("flood", "flood")
    with pytest.raises(Full):
        queue.add("flood", "flood")
    for number in range(10):
        queue.add(f"other {number}", "other")
    assert len(queue) == 85


def test_many_accounts_of_one_payer_have_one_share() -> None:
    """
    Given a payer with 200 accounts that fill the queue, and one with a single account,
    when the single one sends as many as there is room for,
    then from its first turn on every other place is its own, until nothing of it waits.
    """
    queue: FairQueue[str] = FairQueue(2_000)
    for number in range(1_400):
        queue.add(f"account {number % 200}", "many", "evader")
    for _ in range(50):
        queue.add("alone", "one", "honest")
    for _ in range(1_000):
        assert queue.pop() == "many"  # what came before anybody had to wait
    assert "".join(queue.pop()[0] for _ in range(100)) == 50 * "mo"
    assert set(emptied(queue)) == {"many"}


def test_one_account_does_not_eat_its_payers_share() -> None:
    """
    Given a payer, of whose accounts one sends until the queue refuses it,
    when two others of that payer send, and then another payer's,
    then there is room for them, and each has its turn beside the flood's.
    """
    queue: FairQueue[str] = FairQueue(120)

    def flood() -> None:
        for _ in range(120):
            queue.add("flood", "flood", "bank")

    with pytest.raises(Full):
        flood()
    for name in ("a", "b"):
        queue.add(name, name, "bank")
    queue.add("c", "c", "other")
    found = emptied(queue)[60:]
    assert found[:5] == ["flood", "c", "a", "b", "flood"]


def test_what_nobody_waits_for_any_more_leaves_its_places() -> None:
    """
    Given a full queue of two senders,
    when all but every third of what waits is over,
    then as many places are free, and the rest comes out in the order of each sender.
    """
    queue: FairQueue[str] = FairQueue(40)
    for number in range(20):
        queue.add("a", f"a{number:02}")
    for number in range(6):
        queue.add("b", f"b{number:02}", "payer")
    queue.forget(lambda one: int(one[1:]) % 3 > 0)
    assert len(queue) == 7 + 2
    found = emptied(queue)
    for name, count in (("a", 20), ("b", 6)):
        own = [one for one in found if one[0] == name]
        assert own == [f"{name}{number:02}" for number in range(0, count, 3)]


@given(limit=st.integers(1, 30), lanes=st.lists(st.sampled_from("abcd"), max_size=80))
def test_nothing_is_lost_and_each_sender_keeps_its_order(limit: int, lanes: list[str]) -> None:
    """
    Given any senders in any order, two of whom have one payer,
    when all that was taken in comes out again,
    then it is as many as the limit at most, and each sender's own are in their order.
    """
    queue: FairQueue[str] = FairQueue(limit)
    payers = {"c": "payer", "d": "payer"}
    taken: list[str] = []
    for number, lane in enumerate(lanes):
        try:
            queue.add(lane, f"{lane}{number:03}", payers.get(lane))
            taken.append(f"{lane}{number:03}")
        except Full:
            continue
    assert len(queue) == len(taken) <= limit
    found = emptied(queue)
    assert sorted(found) == sorted(taken)
    for lane in "abcd":
        own = [one for one in found if one[0] == lane]
        assert own == sorted(own)
