"""Histories of the market: the same from a seed, counted by the page's tables, and judged."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from tongbao.simulation.campaign import Failure
from tongbao.simulation.market.__main__ import judged
from tongbao.simulation.market.campaign import FULL, REASONS, MarketPlay, Part, play_one
from tongbao.simulation.market.counts import (
    FAULTS,
    NOTHING,
    OUTCOMES,
    TRANSITIONS,
    Counts,
    outcome_of,
    shown,
)
from tongbao.simulation.playing import Tally


def reached() -> Part:
    """A campaign that has come to everything once."""
    counts = Counts(Counter(map(shown, TRANSITIONS)), Counter(OUTCOMES), Counter(FAULTS))
    return Part(FULL, Tally(numbers=Counter(list(REASONS))), counts)


def simulate(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "tongbao.simulation.market", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_seed_is_one_history_whose_orders_go_their_ways() -> None:
    """
    Given a seed,
    when its history is played twice,
    then both agree with the model, come to the same counts, and some order was opened and ended.
    """
    first, second = play_one(3, 0), play_one(3, 0)

    assert first == second
    found = first.counts.transitions
    assert found["- -> open by buyer"] > 0
    assert sum(first.counts.outcomes.values()) > 0


def test_what_was_never_reached_fails_a_full_campaign_only() -> None:
    """
    Given a campaign that has come to everything,
    when one transition, outcome, fault or refusal is taken out of it,
    then it fails and names that; a shorter campaign says how many are missing.
    """
    assert judged(reached(), 1)[0]
    for kind, name in (
        ("transitions", shown(TRANSITIONS[3])),
        ("outcomes", OUTCOMES[5]),
        ("faults", FAULTS[8]),
    ):
        part = reached()
        del getattr(part.counts, kind)[name]
        passed, verdict = judged(part, 1)
        assert not passed and name in verdict
        part.histories = FULL - 1
        passed, verdict = judged(part, 1)
        assert passed and "1 not reached" in verdict
    part = reached()
    del part.tally.numbers[11049]
    assert "11049 ORDER_IS_FROZEN" in judged(part, 1)[1]


def test_a_transition_that_no_table_has_is_a_failure() -> None:
    """
    Given a campaign that has come to everything,
    when an order has besides gone from settled to open,
    then it fails and names that.
    """
    part = reached()
    part.counts.transitions["settled -> open by buyer"] += 1
    passed, verdict = judged(part, 1)

    assert not passed and "unforeseen transition settled -> open by buyer" in verdict


def test_a_history_that_goes_wrong_ends_the_campaign() -> None:
    """
    Given a campaign with a history that differed from the model,
    when it is judged,
    then it has failed, and the last line is the command that plays that history again.
    """
    part = reached()
    part.add(Part(failure=Failure("python -m tongbao.simulation.market --seed 1 --only 7", "text")))
    passed, verdict = judged(part, 1)

    assert not passed and verdict.endswith("--seed 1 --only 7")


@pytest.mark.parametrize(
    ("row", "before", "after", "told"),
    [
        ({}, "open", "lapsed", "never sealed: all back"),
        ({}, "sealed", "lapsed", "never confirmed: all back, the buyer's fault"),
        ({}, "confirmed", "lapsed", "the owner never reveals: all back, its fault"),
        (
            {"secured": "1.00"},
            "confirmed",
            "lapsed",
            "the agent never reveals: its bond pays the owner",
        ),
        (
            {"frozen_until": 9},
            "confirmed",
            "lapsed",
            "the order was frozen before reveal: all back, no fault",
        ),
        ({"secured": "1.00"}, "claimed", "upheld", OUTCOMES[13]),
        ({}, "claimed", "upheld", OUTCOMES[14]),
        ({}, "sealed", "confirmed", ""),
    ],
)
def test_each_end_is_a_row_of_the_table(
    row: dict[str, Any], before: str, after: str, told: str
) -> None:
    """
    Given an order's row and the state that it comes from,
    when it ends,
    then that is one row of the table of deviations.
    """
    order = {"buyer": "b", "confirmed_at": 5} | row

    assert outcome_of(order, before, after, "deadline", NOTHING) == told


def test_the_command_counts_and_judges() -> None:
    """
    Given a seed,
    when three histories are played by the command,
    then every transition, outcome, fault and refusal has a line, and the last one is the verdict.
    """
    ended = simulate("--seed", "1", "--histories", "3")

    lines = ended.stdout.splitlines()
    assert ended.returncode == 0, ended.stderr
    assert lines[-1].startswith("data-histories: passed: seed 1, 3 histories, 210 transactions, ")
    for name in (*map(shown, TRANSITIONS), *OUTCOMES, *FAULTS):
        assert any(line.startswith(name) for line in lines), name


def test_one_history_is_played_again_as_json() -> None:
    """
    Given a seed and the index of a history,
    when that one is played with --json,
    then its counts come as one object, and they are those of playing it here.
    """
    ended = simulate("--seed", "1", "--only", "2", "--json")
    play = MarketPlay("market/1/2")
    play.run()

    counts = json.loads(ended.stdout)
    assert (ended.returncode, counts["histories"], counts["passed"]) == (0, 1, True)
    assert counts["transitions"] == play.counts().transitions
