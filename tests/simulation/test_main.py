"""The command of the simulator: counts, a verdict as the last line, an exit code that agrees."""

from __future__ import annotations

import json
import subprocess
import sys

from tongbao.simulation.playing import REGISTRY


def simulate(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "tongbao.simulation", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_small_campaign_prints_counts_and_a_verdict() -> None:
    """
    Given a seed,
    when two short histories are played,
    then every message and number has a line, the last line is the verdict, and the code is 0.
    """
    ended = simulate("--seed", "1", "--histories", "2", "--transactions", "80")

    lines = ended.stdout.splitlines()
    assert ended.returncode == 0, ended.stderr
    assert lines[-1].startswith("simulation: passed: seed 1, 2 histories, 160 transactions, ")
    for number, reason in REGISTRY.reasons.items():
        name = f"{type(reason).module_name}.{reason.name}"
        assert any(line.split()[:2] == [str(number), name] for line in lines)


def test_one_history_can_be_played_again_as_json() -> None:
    """
    Given a seed and the index of one of its histories,
    when that history alone is played with --json,
    then the counts come as one object.
    """
    words = ("--seed", "1", "--only", "1", "--transactions", "80", "--json")
    ended = simulate(*words)

    counts = json.loads(ended.stdout.splitlines()[0])
    assert ended.returncode == 0, ended.stderr
    assert (counts["histories"], counts["transactions"], counts["passed"]) == (1, 80, True)


def test_a_missing_seed_is_a_wrong_use() -> None:
    """
    Given no seed,
    when the simulator is started,
    then it says what is missing and ends with 2.
    """
    ended = simulate()

    assert ended.returncode == 2
    assert "--seed" in ended.stderr
