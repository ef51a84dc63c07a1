"""What is kept of sessions and challenges: until when, how many, and at what cost."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from tests.fixed_chain import FixedChain
from tongbao.node.access.challenges import LIFE_MS, Challenges
from tongbao.node.access.sessions import OF_ACCOUNT, Sessions, SessionsFull
from tongbao.sdk.sessions import SessionError

ALICE = FixedChain.alice


def test_a_session_ends_by_itself() -> None:
    """
    Given sessions of a minute and a clock,
    when the minute has passed,
    then they are over, and nothing is kept of them.
    """
    clock = [1_000]
    sessions = Sessions(60_000, 10, lambda: clock[0])
    session, token = sessions.open(ALICE, "key")

    assert sessions.find(token) is session
    clock[0] += 60_000
    assert sessions.find(token) is None
    assert len(sessions) == 0
    assert sessions.end_all(ALICE) == 0


def test_a_challenge_ends_within_a_minute() -> None:
    """
    Given challenges and a clock,
    when one is answered in its last millisecond, and one after it,
    then the first is taken, and the second not; what was answered is forgotten in the end.
    """
    clock = [1_000]
    challenges = Challenges("chain", lambda: clock[0])
    first, second = (challenges.make(ALICE, "http://127.0.0.1") for _ in range(2))
    clock[0] += LIFE_MS - 1
    challenges.take(first)
    with pytest.raises(SessionError, match="before"):
        challenges.take(first)
    clock[0] += 1
    with pytest.raises(SessionError, match="has ended"):
        challenges.take(second)


def test_an_account_has_so_many_sessions_and_a_node_too() -> None:
    """
    Given a node that takes 20 sessions, and one account that opens 17,
    when others open more,
    then the account's oldest was ended for its newest, and the node refuses the 21st.
    """
    sessions = Sessions(60_000, 20, lambda: 0)
    tokens = [sessions.open(ALICE, "key")[1] for _ in range(OF_ACCOUNT + 1)]

    assert sessions.find(tokens[0]) is None
    assert sessions.find(tokens[1]) is not None
    for number in range(20 - OF_ACCOUNT):
        sessions.open(f"account {number}", "key")
    with pytest.raises(SessionsFull):
        sessions.open("one more", "key")


def test_a_thousand_sessions_cost_little() -> None:
    """
    Given a thousand open sessions,
    when their memory is counted, and each is found a hundred times,
    then they have less than a megabyte, and finding one takes less than 50 us of CPU.
    """
    sessions = Sessions(60_000, 1_000, lambda: 0)
    tracemalloc.start()
    tokens = [sessions.open(f"account {number}", "key")[1] for number in range(1_000)]
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    begun = time.process_time()
    for _ in range(100):
        assert all(sessions.find(token) is not None for token in tokens)

    assert size < 1_000_000
    assert time.process_time() - begun < 100_000 * 50e-6
