"""The quick lane of killing single processes of a node that has several."""

from __future__ import annotations

from tongbao.simulation.crash.layout import ROLES, LayoutReport, run_layout

KILLS = 2 * len(ROLES)


def test_processes_are_killed_in_turn_and_nothing_is_lost_or_doubled() -> None:
    """
    Given clients that pay,
    when each kind of process of a node is killed twice, at random moments,
    then all that was acknowledged stands, nothing else happened, and every kind was hit.
    """
    report = run_layout(seed=1, kills=KILLS)
    assert report.is_good, report.verdict()
    assert report.kills == dict.fromkeys(ROLES, 2), report.verdict()
    assert report.acknowledged and report.checks and report.audits


def test_a_role_that_was_never_hit_is_a_failure() -> None:
    """
    Given a report in which no reader was killed,
    when it is judged,
    then it has failed, and names the reader.
    """
    report = LayoutReport(seed=1, wanted=1)
    report.kills.update(role for role in ROLES if role != "reader")
    assert not report.is_good
    assert report.verdict() == "layout: FAILED: no process was killed of: reader"
