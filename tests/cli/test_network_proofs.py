"""Proofs of a network on the command line: golden ones, and those of a node that runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.calling import Place
from tests.sdk.proven_network import AT, ProvenNetwork
from tests.sdk.test_light_network import change_everybody, recent, serving
from tongbao.sdk import to_json
from tongbao.sdk.folder import trust_file


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    """A proof and a trust file, made long ago."""
    proven = ProvenNetwork()
    proof, trust = tmp_path / "holding.proof", tmp_path / "trust.json"
    proof.write_bytes(proven.holding)
    trust.write_bytes(proven.trust)
    return str(proof), str(trust)


def test_an_archived_proof_is_verified_as_of_then(nowhere: Place, files: tuple[str, str]) -> None:
    """
    Given a network's proof and trust file whose period is over,
    when they are verified by the clock, and as of the time of then,
    then the clock's verdict has its number and advice, and the other is what was proven.
    """
    proof, trust = files
    told = nowhere.call("verify", proof, "--trust", trust)
    assert told.code == 65
    assert "TRUST_IS_OLD (15)" in told.err
    proven = nowhere.do("verify", proof, "--trust", trust, "--at", str(AT))
    assert (proven["height"], proven["value"]["amount"]) == (2, "12.50")


def test_a_trust_file_is_renewed_by_votes(nowhere: Place, tmp_path: Path) -> None:
    """
    Given a node of a network whose validators have changed, and a trust file of its genesis,
    when it is renewed from the node,
    then the new one is of the newest block, and makes a proof of the node believable.
    """
    paper = recent()
    change_everybody(paper, 6)
    old, new, proof = (str(tmp_path / name) for name in ("old.json", "new.json", "row.proof"))
    Path(old).write_bytes(to_json(trust_file(paper.genesis)))
    with serving(paper) as network:
        node = ("--node", network.served.address)
        nowhere.do("proof", "trust", *node, "--renew", old, "--out", new)
        paper.make(paper.pay("1.00"))
        paper.make()
        key = (paper.shop, f"CNY.{paper.bank}")
        written = nowhere.do("proof", "row", "asset.holdings", *key, *node, "--out", proof)
        told = nowhere.call("proof", "trust", *node)
        own = nowhere.do("proof", "trust", *node, "--newest", "--out", str(tmp_path / "own.json"))
    assert json.loads(Path(new).read_text())["height"] > 0
    proven = nowhere.do("verify", proof, "--trust", new)
    assert proven["height"] == written["height"]
    assert proven["value"]["amount"] == "21.00"
    assert told.code == 2 and "--renew" in told.err
    assert len(own["keys"]) == 4
