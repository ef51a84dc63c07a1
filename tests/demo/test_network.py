"""`tongbao demo network` as people use it: the whole story, and a folder that can't be used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.engines.cometbft.needed import not_tested
from tests.engines.cometbft.real import PROGRAM

COMMAND: Final = (sys.executable, "-m", "tongbao.cli.main", "demo", "network")
SECONDS: Final = 540


@pytest.fixture(autouse=True)
def program() -> None:
    """CometBFT, or no test."""
    if not PROGRAM.is_file():
        not_tested(str(PROGRAM))


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The command on a folder."""
    command = [*COMMAND, "--folder", str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)


def test_four_validators_lose_two_win_one_and_agree(tmp_path: Path) -> None:
    """
    Given the first 40 baskets and a new network of four validators,
    when the story is played: one killed, a second killed, both revived, a fifth voted in,
    then every payment is there once, the fifth has joined by a snapshot, five validators have one
    root, the solo engine makes the same blocks, and a proof of the node that joined verifies with
    the trust file and nothing else.
    """
    folder = tmp_path / "network"
    found = run(folder, "--count", "40", "--json")
    assert found.returncode == 0, found.stderr
    story = json.loads(found.stdout)
    report = story["purchases"]
    assert (story["validators"], story["differences"], report["differences"]) == (5, [], [])
    assert report["payments"] + report["cost_nothing"] == 40
    assert story["blocks_on_solo"] == story["height"]
    assert story["joined_at"] > 0
    proof = tmp_path / "proof.json"
    proof.write_bytes((folder / "proofs.jsonl").read_bytes().splitlines()[0])
    verified = subprocess.run(
        [*COMMAND[:3], "verify", str(proof), "--trust", str(folder / "trust.json")],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (verified.returncode, verified.stdout.splitlines()[-1].startswith("verified: ")) == (
        0,
        True,
    )


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    """
    Given a folder with somebody's file,
    when the story is to be played there,
    then it is refused, with what to do, and the file is as it was.
    """
    (tmp_path / "notes.txt").write_text("mine")
    found = run(tmp_path, "--once")
    assert (found.returncode, "is not empty" in found.stderr) == (66, True)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
