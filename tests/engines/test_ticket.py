"""Tickets: everybody who waits is told once, whenever they ask, and nobody can take one back."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest

from tests.fixed_chain import FixedChain
from tongbao.engines.solo import Answer, EngineStopped, Ticket
from tongbao.engines.solo.ticket import tell
from tongbao.kernel import Outcome

ANSWER = Answer(bytes(32), 1, 0, Outcome.APPLIED, 0, b"{}")


@pytest.fixture
def fixed() -> FixedChain:
    """A chain in memory."""
    return FixedChain()


def ticket(fixed: FixedChain) -> Ticket:
    """A ticket that has no answer yet."""
    return Ticket(fixed.producer.machine.parse(fixed.pay("1.00")))


def test_a_future_asked_for_before_the_answer_is_settled_when_told(fixed: FixedChain) -> None:
    """
    Given a ticket whose future two have asked for,
    when it is answered and those who wait are told,
    then both have one future, with the answer.
    """
    one = ticket(fixed)
    first, second = one.future(), one.future()
    one.answer(ANSWER)
    assert not first.done()
    tell([one])

    assert first is second
    assert first.result(timeout=0) == ANSWER


@pytest.mark.parametrize("told", [True, False])
def test_a_future_asked_for_after_the_answer_is_settled_at_once(
    fixed: FixedChain, told: bool
) -> None:
    """
    Given a ticket that is answered,
    when its future is asked for, before or after others are told,
    then it has the answer, and telling again disturbs nothing.
    """
    one = ticket(fixed)
    one.answer(ANSWER)
    if told:
        tell([one])
    future = one.future()

    assert future.result(timeout=0) == one.result() == ANSWER
    tell([one])


def test_what_was_in_the_way_is_raised(fixed: FixedChain) -> None:
    """
    Given a ticket whose answer is an error,
    when its result is asked for, waiting or not,
    then the error is raised.
    """
    early, late = ticket(fixed), ticket(fixed)
    future = early.future()
    for one in (early, late):
        one.answer(EngineStopped("stopped"))
    tell([early, late])

    with pytest.raises(EngineStopped):
        future.result(timeout=0)
    with pytest.raises(EngineStopped):
        late.result()


def test_a_future_cannot_be_cancelled(fixed: FixedChain) -> None:
    """
    Given the future of a ticket that waits,
    when somebody cancels it,
    then it goes on waiting, and takes the answer.
    """
    one = ticket(fixed)
    future = one.future()
    assert not future.cancel()
    one.answer(ANSWER)
    tell([one])

    assert future.result(timeout=0) == ANSWER


def test_nobody_is_forgotten_however_asking_and_telling_meet(fixed: FixedChain) -> None:
    """
    Given many tickets, each asked for in one thread while another answers and tells,
    when both are done,
    then every future has its answer.
    """
    tickets = [ticket(fixed) for _ in range(300)]
    start = threading.Barrier(2)
    futures: list[Future[Answer]] = []

    def ask() -> None:
        start.wait()
        futures.extend(one.future() for one in tickets)

    asking = threading.Thread(target=ask)
    asking.start()
    start.wait()
    for one in tickets:
        one.answer(ANSWER)
        tell([one])
    asking.join()

    assert [future.result(timeout=10) for future in futures] == [ANSWER] * len(tickets)
