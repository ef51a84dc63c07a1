"""What supervisors read is recorded by real nodes of one process and of several, killed or not."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from tests.fixed_chain import key
from tests.node.access.supervised import ALICE, BANK, SHOP, lay_supervised, opening, recording_flags
from tests.node.process import ENVIRONMENT, Node, run_to_end, running
from tongbao.modules import reading
from tongbao.modules.reading import Tally
from tongbao.sdk.errors import NodeError
from tongbao.sdk.http import HttpChain

PATIENCE_S = 60
MEMBERS = ("--read-policy", "members")


def wait_for(node: Node, folder: Path, reads: int) -> None:
    """Wait until the tally has so many histories, and not for ever."""
    until = time.monotonic() + PATIENCE_S
    token = json.loads((folder / "node.json").read_text())["token"]
    headers = {"Authorization": f"Bearer {token}"}
    path = f"{node.address}/v1/reading/tally?by={SHOP}"
    while True:
        told = httpx2.get(path, headers=headers).json()["value"]
        if told.get("histories", 0) == reads:
            return
        assert time.monotonic() < until, told


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_read_that_was_answered_is_recorded_although_the_node_was_killed(
    tmp_path: Path, processes: str
) -> None:
    """
    Given a node that records once an hour, and a supervisor with a basis, by the SDK,
    when the node is killed after it has answered, and started again,
    then the ledger has the read, and one more that comes later, each once.
    """
    folder = lay_supervised(tmp_path / "chain")
    flags = (*MEMBERS, "--processes", processes, *recording_flags(folder))
    late = (*flags, "--reads-batch-ms", "3600000")
    session = (SHOP, key("shop"))
    with running(folder, *late) as node, HttpChain(node.address, session=session) as chain:
        with pytest.raises(NodeError, match="an inspection of that account"):
            chain.movements_of(ALICE)
        message = opening(chain.now(), lasts_ms=3_600_000)
        chain.wallet(SHOP, key("shop")).send(message)
        assert not chain.movements_of(ALICE).movements
        node.kill()
    with running(folder, *flags) as node, HttpChain(node.address, session=session) as chain:
        wait_for(node, folder, 1)
        assert not chain.movements_of(ALICE).movements
        wait_for(node, folder, 2)
        for line in node.log():
            assert ALICE not in str(line) and SHOP not in str(line)
        node.stop()


def test_settings_of_recording_go_together_and_open_a_key(tmp_path: Path) -> None:
    """
    Given a folder with keys,
    when a node is told an account without its key, a key that is not there, or a wrong passphrase,
    then it does not start, and says which setting to look at.
    """
    folder = lay_supervised(tmp_path / "chain")
    wrong = tmp_path / "wrong"
    wrong.write_text("something else\n")
    flags = dict(zip(*[iter(recording_flags(folder))] * 2, strict=True))
    for changed, said in (
        ({"--reads-key": ""}, "go together"),
        ({"--reads-key": "nobody"}, "reads_key"),
        ({"--reads-passphrase-file": str(wrong)}, "reads_key"),
        ({"--reads-passphrase-file": str(tmp_path / "none")}, "reads_key"),
        ({"--reads-account": "alice"}, "reads_account"),
    ):
        told = [part for pair in (flags | changed).items() for part in pair]
        ended = run_to_end(folder, *told)
        assert (ended.returncode, said in ended.stderr) == (78, True), ended.stderr


def test_a_supervisor_opens_an_inspection_by_command(tmp_path: Path) -> None:
    """
    Given a chain in a folder,
    when somebody who is no supervisor opens an inspection by the command line,
    then the command and its refusal are those that the module declares.
    """
    folder = lay_supervised(tmp_path / "chain")
    tongbao = str(Path(sys.executable).with_name("tongbao"))
    until = str(time.time_ns() // 1_000_000 + 3_600_000)
    told = ("--account", ALICE, "--reason", "6", "--basis-hash", "ab" * 32, "--until", until)
    ended = subprocess.run(
        [tongbao, "reading", "open-inspection", *told, "--as", BANK, "--folder", str(folder)],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "10001" in ended.stderr, ended.stderr
    assert reading.Why.SENDER_IS_NOT_SUPERVISOR.number == 10_001
    assert Tally().inspections == 0
