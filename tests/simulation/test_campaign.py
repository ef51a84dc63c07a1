"""The campaign: a right ledger passes, a wrong one is found, and nothing goes uncounted."""

from __future__ import annotations

from collections import Counter

import pytest

from tongbao.kernel.schema import wire_name_of
from tongbao.simulation.campaign import (
    FULL,
    LONGEST,
    OF_OLDER_CHAINS,
    Failure,
    Report,
    run_campaign,
)
from tongbao.simulation.playing import REGISTRY, Play, Tally, play

REACHED = {number for number, reason in REGISTRY.reasons.items() if reason not in OF_OLDER_CHAINS}


def everything() -> Tally:
    """The tally of a campaign that has come to every message and number once."""
    names = [wire_name_of(kind) for kind in REGISTRY.messages]
    return Tally(
        transactions=FULL,
        applied=Counter(names),
        refused=Counter(names),
        numbers=Counter(REGISTRY.reasons),
    )


def full_report(tally: Tally) -> Report:
    """The report of a campaign that is long enough to be judged."""
    return Report(seed=1, histories=FULL // 500, transactions=500, tally=tally)


def test_a_history_counts_every_transaction_once() -> None:
    """
    Given a seed,
    when its history of 300 transactions is played twice,
    then both pass with the same counts, and the outcomes add up to 300.
    """
    first, second = play("each once", 300), play("each once", 300)

    assert first == second
    decided = ("applied", "refused", "invalid")
    assert sum(first.outcomes[name] for name in decided) == first.transactions == 300
    assert all(first.outcomes[name] for name in decided)
    assert first.blocks > 10


def test_a_campaign_adds_its_histories_up() -> None:
    """
    Given two histories of a seed,
    when a campaign plays them on two processes,
    then its counts are the sum of theirs, and progress has been told to the end.
    """
    told: list[tuple[int, int]] = []
    report = run_campaign(7, range(2), 60, lambda done, total: told.append((done, total)))

    wanted = Tally()
    wanted.add(play("7/0", 60))
    wanted.add(play("7/1", 60))
    assert report.tally == wanted
    assert (report.failures, report.played, told) == ([], 2, [(1, 2), (2, 2)])


def test_a_full_campaign_plays_on_for_what_is_unreached_and_not_for_ever() -> None:
    """
    Given a campaign that counts as full with histories too short for everything,
    when it is played,
    then it has five times as many histories, one of each index, and has failed.
    """
    report = run_campaign(7, range(2), 30, full=60)

    wanted = Tally()
    for index in range(2 * LONGEST):
        wanted.add(play(f"7/{index}", 30))
    assert (report.played, report.tally, report.is_good) == (2 * LONGEST, wanted, False)


def test_a_full_campaign_that_reaches_everything_passes() -> None:
    """
    Given a full campaign that has come to every message and number,
    when it is judged,
    then it is good.
    """
    report = full_report(everything())

    assert (report.is_full, report.unreached, report.is_good) == (True, [], True)


@pytest.mark.parametrize("number", sorted(REACHED))
def test_a_full_campaign_that_misses_a_number_fails(number: int) -> None:
    """
    Given a full campaign in which nothing came to one number,
    when it is judged,
    then it has failed, and the verdict names the number.
    """
    tally = everything()
    del tally.numbers[number]
    report = full_report(tally)

    assert not report.is_good
    assert f"never reached: {number} " in report.verdict()


def test_a_full_campaign_that_never_applies_a_message_fails() -> None:
    """
    Given a full campaign in which no transfer was applied,
    when it is judged,
    then it has failed, and the verdict names the message.
    """
    tally = everything()
    del tally.applied["asset.transfer"]
    report = full_report(tally)

    assert not report.is_good
    assert "message asset.transfer" in report.verdict()


def test_a_failed_history_fails_the_campaign() -> None:
    """
    Given a campaign that has reached everything, and one failed history,
    when it is judged,
    then it has failed.
    """
    report = full_report(everything())
    report.failures.append(Failure("python -m tongbao.simulation --seed 1 --only 3", "why"))

    assert not report.is_good
    assert report.verdict() == "simulation: FAILED: 1 of 200 histories"


class Doctored(Play):
    """A history whose ledger differs from the model by one cent, in one row."""

    def _mirror(self, rows: object) -> None:
        super()._mirror(rows)
        for row in self._rows.get("asset.holdings", {}).values():
            row["amount"] = "0.01"


def test_a_ledger_that_differs_by_one_row_is_found() -> None:
    """
    Given a ledger whose holdings are not what the model says,
    when a history is played on it,
    then it fails, and says which table, key and values.
    """
    with pytest.raises(AssertionError, match=r"^asset\.holdings: \(key, ledger's, model's\)"):
        Doctored("doctored", 200).run()
