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


def test_a_bundle_of_a_network_is_followed_from_an_old_trust_file(
    nowhere: Place, tmp_path: Path
) -> None:
    """
    Given a node of a network whose validators have all changed, and a trust file of its genesis,
    when a bundle is written from the node and verified, by the clock and as of long after,
    then it is proven by the votes in it; and then the trust file's period is over.
    """
    paper = recent()
    change_everybody(paper, 6)
    old, file = str(tmp_path / "old.json"), str(tmp_path / "shop.zip")
    Path(old).write_bytes(to_json(trust_file(paper.genesis)))
    with serving(paper) as network:
        asked = (paper.shop, "--asset", f"CNY.{paper.bank}", "--out", file)
        nowhere.do("account", "bundle", *asked, "--node", network.served.address)
    proven = nowhere.do("verify", file, "--trust", old)
    assert (proven["proven"], proven["unproven"], proven["closing"]) == (2, 0, "20.00")
    late = proven["time"] + 15 * 86_400_000
    told = nowhere.call("verify", file, "--trust", old, "--at", str(late))
    assert told.code == 65 and "TRUST_IS_OLD (15)" in told.err
