"""Random histories: the same from the same seed, mostly applied, and odd where they should be."""

from __future__ import annotations

from collections import Counter

import pytest

from tongbao.kernel import Outcome, Registry
from tongbao.modules.registry import registry
from tongbao.simulation import mischief
from tongbao.testing.checks import check_root
from tongbao.testing.drafts import Submission
from tongbao.testing.genesis import PEOPLE, genesis_of, registry_with
from tongbao.testing.histories import History
from tongbao.testing.keys import named_key
from tongbao.testing.ledger import Ledger

pytestmark = pytest.mark.filterwarnings("ignore:invalid characters:FutureWarning")


class Played:
    """A history that was played: what was sent, and what came of it."""

    def __init__(self, modules: Registry, seed: str, transactions: int) -> None:
        """Play it, and check the state after each block."""
        ledger = Ledger(modules, genesis_of(modules))
        self.ledger = ledger
        self.sent: list[Submission] = []
        self.numbers: list[int] = []
        self.outcomes: Counter[Outcome] = Counter()
        signers = [named_key(person) for person in PEOPLE]
        history = History(ledger.machine, seed, transactions, signers)
        for step in history.steps():
            wires = tuple(found.wire for found in step.submissions)
            decided = ledger.machine.apply(ledger.block(step.time, wires))
            ledger.commit(decided)
            ledger.check()
            history.learn(step, decided.results)
            self.sent += step.submissions
            self.numbers += [result.number for result in decided.results]
            self.outcomes.update(result.outcome for result in decided.results)


def test_the_same_seed_makes_the_same_history() -> None:
    """
    Given a seed,
    when two histories are made from it, and one from another seed,
    then the first two are the same to the byte and end in one root, and the third is another.
    """
    first, second, third = (Played(registry(), seed, 120) for seed in ("1", "1", "2"))

    assert first.sent == second.sent
    assert first.ledger.machine.state_root == second.ledger.machine.state_root
    assert first.sent != third.sent


def test_a_history_applies_refuses_and_is_invalid() -> None:
    """
    Given a history of 400 transactions,
    when it is played,
    then it has all of them, many are applied, many refused, some invalid, and the root is that of
    the rows.
    """
    played = Played(registry(), "all three outcomes", 400)

    assert len(played.sent) == 400
    assert played.outcomes[Outcome.APPLIED] > 100
    assert played.outcomes[Outcome.REFUSED] > 40
    assert played.outcomes[Outcome.INVALID] > 20
    check_root(played.ledger.machine, played.ledger.live.rows)


def test_damaged_bytes_come_to_what_their_writer_says() -> None:
    """
    Given transactions that were damaged on purpose,
    when they are in blocks,
    then each comes to one of the numbers that go with its damage.
    """
    played = Played(registry(), "damage", 400)
    pairs = zip(played.sent, played.numbers, strict=True)
    damaged = [(found.forms, number) for found, number in pairs if found.forms]

    assert len(damaged) > 10
    assert [pair for pair in damaged if pair[1] not in pair[0]] == []


def test_messages_without_a_recipe_are_made_from_their_types() -> None:
    """
    Given a module whose messages have no recipes,
    when a history with it is played,
    then every one of its messages occurs.
    """
    played = Played(registry_with(mischief.module), "strangers", 400)
    names = {
        message["@type"] for found in played.sent for message in found.payload.get("messages", ())
    }

    assert names >= {f"mischief.{name}" for name in ("rob", "burn", "pour", "make", "repair")}
