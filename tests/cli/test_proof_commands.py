"""Proofs as files, and what verifying them says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.calling import Place


@pytest.fixture
def trust(place: Place, tmp_path: Path) -> str:
    """The trust file of the chain."""
    file = tmp_path / "trust.json"
    place.do("proof", "trust", "--out", str(file))
    return str(file)


def test_a_row_is_proven_to_somebody_without_the_chain(
    place: Place, nowhere: Place, trust: str, tmp_path: Path
) -> None:
    """
    Given a proof of bob's holding and the trust file,
    when somebody without a chain verifies it,
    then the row, its key and the height are those of the chain.
    """
    file = str(tmp_path / "holding.proof")
    names = place.do("account", "names")["accounts"]
    held = place.do("asset", "balance", "--account", "alice", "--asset", "CNY")
    words = ("proof", "row", "asset.holdings", "alice", "CNY.operator")
    written = place.do(*words, "--out", file)
    proven = nowhere.do("verify", file, "--trust", trust)
    told = nowhere.call("verify", file, "--trust", trust)

    assert written["height"] == proven["height"] == held["height"]
    assert proven["value"] == held["value"]
    assert proven["key"] == [names["alice"], f"CNY.{names['operator']}"]
    assert told.last.startswith("verified: asset.holdings ")
    printed = place.call(*words)
    assert nowhere.call("verify", "-", "--trust", trust, stdin=printed.out).code == 0


def test_absence_is_proven_too(place: Place, nowhere: Place, trust: str, tmp_path: Path) -> None:
    """
    Given a proof of a row that does not exist,
    when it is verified,
    then it says that there is no such row.
    """
    file = str(tmp_path / "absence.proof")
    place.do("proof", "row", "asset.holdings", "2f" * 20, "CNY.operator", "--out", file)
    told = nowhere.call("verify", file, "--trust", trust)

    assert told.code == 0
    assert told.last.startswith(f"verified: asset.holdings has no row {'2f' * 20} CNY.")


def test_a_transaction_is_proven_with_its_receipt(
    place: Place, nowhere: Place, trust: str, tmp_path: Path
) -> None:
    """
    Given a proof of a transaction,
    when it is verified,
    then id, payload and outcome are those that the chain shows.
    """
    file = str(tmp_path / "payment.proof")
    sent = place.do("account", "set-lanes", "--lanes", "1")
    place.do("proof", "transaction", sent["id"], "--out", file)
    proven = nowhere.do("verify", file, "--trust", trust)

    assert (proven["id"], proven["height"]) == (sent["id"], sent["height"])
    assert proven["receipt"] == {"outcome": "applied"}
    assert proven["signed"]["messages"] == [{"@type": "account.set_lanes", "lanes": 1}]


@pytest.mark.parametrize("part", ["proof", "trust", "both", "damaged"])
def test_what_proves_nothing_is_not_verified(
    part: str, place: Place, nowhere: Place, trust: str, tmp_path: Path
) -> None:
    """
    Given a proof or trust file that is none, or a damaged one,
    when it is verified,
    then the code is 65 and a numbered finding says why.
    """
    file = tmp_path / "proof"
    text = place.call("proof", "row", "account.accounts", "alice").out
    file.write_text(text.replace('"weight":1', '"weight":2') if part == "damaged" else text)
    if part in ("proof", "both"):
        file.write_text("{}")
    if part in ("trust", "both"):
        Path(trust).write_text("[]")
    told = nowhere.call("verify", str(file), "--trust", trust)

    assert (told.code, told.out) == (65, "")
    assert told.err.splitlines()[-1].startswith("not verified: ")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("row", "asset.nothing", "alice"), 2),
        (("row", "asset.holdings", "alice"), 2),
        (("row", "asset.holdings", "nobody", "CNY.operator"), 2),
        (("row", "asset.holdings", "alice", "é"), 2),
        (("row", "kernel.nonces", "alice", "one"), 2),
        (("row", "kernel.nonces", "alice", "-1"), 2),
        (("transaction", "5e" * 32), 4),
        (("transaction", "5e"), 2),
    ],
)
def test_what_can_not_be_proven_is_told(words: tuple[str, ...], code: int, place: Place) -> None:
    """
    Given a table, key or id that is none,
    when its proof is asked for,
    then two lines say what is wrong and what to do.
    """
    told = place.call("proof", *words)

    assert (told.code, told.out) == (code, "")
    assert len(told.err.splitlines()) == 2
