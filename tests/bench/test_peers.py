"""`make bench-peers` measures in turns what is installed, and names what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench.peers import immudb
from bench.peers.__main__ import main
from bench.peers.contender import MissingError
from bench.peers.postgresql import programs

TINY = ("--accounts", "150", "--transactions", "200", "--runs", "1", "--verify-s", "0.1")
OURS = 2
PARTS = {"rate", "rates", "ours_of_it", "cpu_us", "conditions"}


def test_peers_that_are_installed_are_measured_beside_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Given a machine with some of the peers,
    when one turn is measured with tiny sizes,
    then each of them and ours have rate, ratio, CPU and conditions, and the others are named.
    """
    out = tmp_path / "peers.json"
    assert main([*TINY, "--out", str(out)]) == 0
    found: dict[str, Any] = msgspec.json.decode(out.read_bytes())
    contenders = found["contenders"]
    assert all(one.keys() == PARTS and one["rate"] > 0 for one in contenders.values())
    assert len(contenders) + 2 * len(found["missing"]) == OURS + 2 + 2 + 2
    said = capsys.readouterr().out
    assert all(name in said for name in contenders)
    assert all(f"left out: {line}" in said for line in found["missing"])
    assert said.splitlines()[-1].startswith("bench-peers: ")


def test_a_peer_that_is_not_installed_says_how_to_get_it(tmp_path: Path) -> None:
    """
    Given folders without any program,
    when PostgreSQL and immudb are looked for in them,
    then each says what it is and which command brings it.
    """
    with pytest.raises(MissingError, match="PostgreSQL is not installed: apt-get install"):
        programs(tmp_path, str(tmp_path))
    with (
        pytest.raises(MissingError, match="immudb is not built: make bench-peers"),
        immudb.immudb(500, tmp_path),
    ):
        raise AssertionError("it has started")
