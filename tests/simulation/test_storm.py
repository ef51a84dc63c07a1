"""The store's storms: the same seed is the same voyage, and broken stores do not come through."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tongbao.simulation.storage.campaign import FULL, Failed, Report, run_campaign, sail_many
from tongbao.simulation.storage.faults import AtRest
from tongbao.simulation.storage.mutations import MUTATIONS
from tongbao.simulation.storage.voyage import BLOCKS, FAULTS, TRANSACTIONS, sail
from tongbao.store.sites import Site

ENOUGH = 2_000
"""Seeds within which every mutation must be noticed."""


@pytest.mark.parametrize("seed", range(3))
def test_a_seed_is_one_voyage_with_enough_of_everything(seed: int) -> None:
    """
    Given a seed,
    when it is played twice,
    then it has the same counts, and enough transactions, blocks and faults.
    """
    first = sail(seed)
    assert first == sail(seed)
    assert first.transactions >= TRANSACTIONS
    assert first.blocks > BLOCKS
    assert first.faults >= FAULTS


@pytest.mark.parametrize("mutation", sorted(MUTATIONS))
def test_a_store_with_one_rule_broken_is_noticed(mutation: str) -> None:
    """
    Given a store without one of its rules: no sync, an answer before the log, a middle cut away,
    when seeds are played one after the other,
    then one of the first two thousand fails, and the command that plays it again is told.
    """
    _, passed, failed = sail_many(0, ENOUGH, mutation)
    assert failed is not None, f"{mutation} was not noticed in {passed} seeds"
    assert failed.command.endswith(f"--only {failed.seed} --mutation {mutation}")


def test_a_store_is_whole_again_after_a_mutation() -> None:
    """
    Given a mutation that was noticed,
    when the seed that noticed it is played without,
    then it passes.
    """
    _, _, failed = sail_many(0, ENOUGH, "without-sync")
    assert failed is not None
    assert sail_many(failed.seed, 1)[2] is None


def test_a_campaign_adds_up_and_an_empty_cell_fails_a_full_one() -> None:
    """
    Given a campaign of forty seeds, and one that says it was long but met nothing,
    when they are judged,
    then the first is good whatever it has not met; the other names every cell.
    """
    told: list[tuple[int, int]] = []
    report = run_campaign(0, 40, lambda done, total: told.append((done, total)))
    assert told[-1] == (40, 40)
    assert report.is_good
    assert report.tally.blocks > 40 * BLOCKS

    empty = Report(0, FULL, played=FULL)
    assert not empty.is_good
    assert {name.split("/")[0] for name in empty.unreached} == {
        *(site.name for site in Site),
        *(what.name for what in AtRest),
    }
    assert "never met" in empty.verdict()


def test_a_failure_ends_a_campaign_with_its_command() -> None:
    """
    Given a report with a failed seed,
    when it is judged,
    then it is bad, and its last line names the seed.
    """
    report = Report(0, 10, failed=[Failed(7, "why")])
    assert not report.is_good
    assert report.verdict() == "storm: FAILED: seed 7"


def test_the_command_prints_a_matrix_and_fails_for_a_broken_store() -> None:
    """
    Given the command line,
    when it plays a few seeds as JSON, and a broken store,
    then the first passes with a count for every cell, the other says how to see it again.
    """
    command = [sys.executable, "-m", "tongbao.simulation.storage"]
    good = subprocess.run(
        [*command, "--seeds", "4", "--json"], capture_output=True, text=True, check=True
    )
    found = json.loads(good.stdout)
    assert found["passed"]
    assert {name.split("/")[0] for name in found["matrix"]} == {site.name for site in Site}
    bad = subprocess.run(
        [*command, "--seeds", "40", "--mutation", "without-sync"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert bad.returncode == 1
    assert "to see it again: python -m tongbao.simulation.storage --only" in bad.stderr
    assert bad.stdout.splitlines()[-1].startswith("storm: FAILED: seed ")
