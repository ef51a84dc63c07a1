"""`tongbao account bundle` and `tongbao verify` on what it writes."""

from __future__ import annotations

from pathlib import Path

from tests.cli.desk import Desk

BUNDLE = ("account", "bundle", "alice", "--asset", "CNY.operator", "--out", "alice.zip")
TRUST = ("--trust", "tongbao-chain/trust.json")


def test_a_bundle_is_written_and_verified_elsewhere(desk: Desk, tmp_path: Path) -> None:
    """
    Given a node that serves a folder's chain, on which alice has paid,
    when her bundle is written, and verified where no node is,
    then both end well, with the balances; with a byte changed, verifying ends with 65 and a number.
    """
    with desk.node():
        desk.do("asset", "transfer", "--asset", "CNY", "--amount", "12.50", "--payee", "bob",
                "--as", "alice")  # fmt: skip
        made = desk.do(*BUNDLE)
        assert (made["movements"], made["since"], made["closing"]) == (2, 0, "87.50")
    found = desk.do("verify", "alice.zip", *TRUST)
    assert (found["kind"], found["proven"], found["unproven"]) == ("bundle", 2, 0)
    assert (found["opening"], found["closing"], found["holding"]) == ("0.00", "87.50", "87.50")
    told = desk.run("verify", "alice.zip", *TRUST)
    assert told.stdout.splitlines()[-1].startswith(
        "verified: 2 of 2 movements; 0.00 + 100.00 - 12.50 = 87.50; 87.50 is held at height 5 of "
    )
    told = desk.run("verify", "alice.zip", *TRUST, "--after", "alice.zip")
    assert told.stdout.endswith("; what is left out since height 5 adds up to nothing\n")
    file = tmp_path / "alice.zip"
    content = file.read_bytes()
    file.write_bytes(content[:99] + bytes([content[99] ^ 1]) + content[100:])
    told = desk.run("verify", "alice.zip", *TRUST)
    assert told.returncode == 65
    assert "BUNDLE_IS_UNREADABLE (23)" in told.stderr.splitlines()[-1]


def test_without_a_node_it_says_how_to_have_one(desk: Desk) -> None:
    """
    Given a folder that no node serves,
    when a bundle is asked for, and when --partly is said of a proof,
    then each ends with what to do instead.
    """
    told = desk.run(*BUNDLE)
    assert (told.returncode, told.stderr.splitlines()) == (
        66,
        [
            "do: start it with `tongbao run`, or give --node ADDRESS",
            "error: no node serves tongbao-chain now",
        ],
    )
    desk.do("proof", "row", "asset.holdings", "alice", "CNY.operator", "--out", "row.proof")
    told = desk.run("verify", "row.proof", *TRUST, "--partly")
    assert told.returncode == 2
    assert "--partly and --after are about bundles" in told.stderr
