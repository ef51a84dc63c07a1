"""The same history gives the same bytes in every process; the same rows have the same root."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tongbao.kernel import Amount
from tongbao.modules import asset
from tongbao.simulation.determinism import digest_of
from tongbao.testing import CNY, Chain, bob


def digest_under(hash_seed: str) -> str:
    """The digest of a history, from a process of its own with this PYTHONHASHSEED."""
    return subprocess.run(
        [sys.executable, "-m", "tongbao.simulation.determinism", "--transactions", "400"],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_hash_seeds_change_no_byte() -> None:
    """
    Given one history of 400 transactions,
    when it is played under two PYTHONHASHSEEDs and in this process,
    then every transaction, receipt, row and root has the same bytes.
    """
    assert digest_under("1") == digest_under("2") == digest_of("1", 400)


def test_another_history_has_another_digest() -> None:
    """
    Given two seeds,
    when their histories are digested,
    then the digests differ: the digest sees what is played.
    """
    assert digest_of("1", 40) != digest_of("2", 40)


@pytest.mark.parametrize("blocks", [1, 2, 6])
def test_histories_that_end_in_the_same_rows_have_the_same_root(blocks: int) -> None:
    """
    Given six payments by three people,
    when they are made in 1, 2 or 6 blocks, in one order or in another,
    then the rows are the same, and so is the root.
    """
    one, other = Chain(), Chain()
    payment = asset.Transfer(asset=CNY, amount=Amount("1.00"), payee=bob)
    wires = [
        one.sign(person, payment, nonce=nonce)
        for nonce in (1, 2)
        for person in ("alice", "carol", "mallory")
    ]
    one.block(*wires)
    other.advance(5_000)
    for start in range(0, 6, 6 // blocks):
        other.block(*reversed(wires[start : start + 6 // blocks]))

    assert one.ledger.live.rows == other.ledger.live.rows
    assert one.machine.state_root == other.machine.state_root
