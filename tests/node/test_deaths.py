"""One process of a node is killed, and the others make good what it had."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

import httpx2
import pytest

from tests.node.layout_of import kill_role, processes_of
from tests.node.process import PAYERS, Ground, Node, lay, owned, run_to_end, running
from tongbao.localnet.ports import free_ports
from tongbao.node.processes.supervisor import STORM
from tongbao.sdk.http import HttpChain

SPLIT: Final = ("--processes", "2")
EACH: Final = 150
BEFORE: Final = 100
"""Payments that are answered before something is killed."""


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """A folder with a chain, closed."""
    return lay(tmp_path / "chain")


def pay(ground: Ground, node: Node, payer: int) -> list[int]:
    """Pay one cent after the other, without ever trying again; what each was answered with."""
    headers = {"content-type": "application/jose"}
    with httpx2.Client(base_url=node.address, timeout=60) as client:
        return [
            client.post(
                "/v1/transactions", content=ground.payment(payer, nonce), headers=headers
            ).status_code
            for nonce in range(1, EACH + 1)
        ]


def loaded(node: Node, ground: Ground) -> None:
    """Wait until some payments have been made."""
    while float(owned(node, ground.shop)) * 100 < BEFORE:
        pass


@pytest.mark.parametrize("role", ["core", "verifier", "reader", "indexer"])
def test_nobody_who_pays_notices_that_a_process_behind_the_front_was_killed(
    ground: Ground, role: str
) -> None:
    """
    Given clients that pay one cent after the other and never try again,
    when one of the processes behind the front is killed with signal 9 under that load, twice,
    then every payment is answered as applied, and each has happened once.
    """
    with running(ground.folder, *SPLIT) as node, ThreadPoolExecutor(PAYERS) as pool:
        loads = [pool.submit(pay, ground, node, payer) for payer in range(PAYERS)]
        loaded(node, ground)
        first = kill_role(node, role)
        node.send(ground.payment(PAYERS - 1, EACH + 1))
        second = kill_role(node, role)
        answers = [code for load in loads for code in load.result()]
        assert first != second
        assert set(answers) == {200}
        assert owned(node, ground.shop) == f"{(PAYERS * EACH + 1) / 100:.2f}"
        assert node.stop() == 0


def test_a_front_that_was_killed_is_there_again_and_nothing_is_doubled(ground: Ground) -> None:
    """
    Given clients that pay by the SDK, which tries again,
    when the front is killed with signal 9 under that load,
    then connections break, the port never refuses one, and each payment has happened once.
    """
    with running(ground.folder, *SPLIT) as node, ThreadPoolExecutor(PAYERS) as pool:

        def pay_by_sdk(payer: int) -> int:
            with HttpChain(node.address) as chain:
                wires = [ground.payment(payer, nonce) for nonce in range(1, EACH + 1)]
                return len([chain.submit(wire) for wire in wires])

        loads = [pool.submit(pay_by_sdk, payer) for payer in range(PAYERS)]
        loaded(node, ground)
        kill_role(node, "front")
        assert node.client.get("/livez").text == "alive\n"
        assert [load.result() for load in loads] == [EACH] * PAYERS
        assert owned(node, ground.shop) == f"{PAYERS * EACH / 100:.2f}"
        assert node.stop() == 0


def test_an_operator_sees_every_process_and_the_layout(ground: Ground) -> None:
    """
    Given a node laid out for two cores,
    when it has started,
    then it says which processes it has, and these live under the one that was started.
    """
    with running(ground.folder, *SPLIT) as node:
        roles = set(processes_of(node).values())
        assert {"core", "front", "verifier"} <= roles
        assert "Ctrl-C stops core, 2 verifiers, reader, indexer, front" in node.text()
        assert node.stop() == 0


@pytest.mark.parametrize("processes", ["1", "2"])
def test_what_keeps_a_core_from_starting_is_told_as_by_one_process(
    ground: Ground, processes: str
) -> None:
    """
    Given a wrong passphrase,
    when a node is started, as one process or as several,
    then it ends with 77 and the same two lines, without a traceback.
    """
    ended = run_to_end(
        *(ground.folder, "--port", "0", "--processes", processes),
        TONGBAO_PASSPHRASE="none of its passphrases",
    )
    assert ended.returncode == 77, ended.stderr
    lines = sorted(line.partition(":")[0] for line in ended.stderr.splitlines())
    assert lines == ["do", "error"], ended.stderr
    assert "wrong passphrase" in ended.stderr


def test_a_core_that_can_not_start_again_ends_the_node_with_its_reason(ground: Ground) -> None:
    """
    Given a node that serves, whose authority's key has gone meanwhile,
    when its core is killed,
    then the node ends with 77 as one that finds no key at its start, and leaves no process behind.
    """
    with running(ground.folder, *SPLIT) as node:
        before = processes_of(node)
        (ground.folder / "keys").rename(ground.folder / "keys.away")
        kill_role(node, "core")
        assert node.ended() == 77, node.text()
        assert not [number for number in before if Path(f"/proc/{number}").exists()]
    assert "Traceback" not in node.text()


def test_a_node_that_was_killed_can_be_started_again_at_once(ground: Ground) -> None:
    """
    Given a node on a port,
    when it is killed, and started again on that port at once,
    then the second one waits for what the first has left, and serves.
    """
    port = str(free_ports(1)[0])
    with running(ground.folder, *SPLIT, "--port", port) as node:
        assert node.send(ground.payment(0, 1)).status_code == 200
        node.kill()
        with running(ground.folder, *SPLIT, "--port", port) as again:
            assert owned(again, ground.shop) == "0.01"
            assert again.stop() == 0


def test_a_process_that_ends_again_and_again_ends_the_node(ground: Ground) -> None:
    """
    Given a node that serves,
    when one of its processes is killed each time that it has been started,
    then it is started again more and more slowly, and at last the node ends with 70 and says why.
    """
    with running(ground.folder, *SPLIT) as node:
        kills = 0
        while kills <= STORM:
            with suppress(subprocess.TimeoutExpired):
                node.process.wait(0.02)
            if "indexer" in processes_of(node).values():
                kill_role(node, "indexer")
                kills += 1
        assert node.ended() == 70, node.text()
    assert kills == STORM + 1
    assert f"the indexer has ended {STORM + 1} times in a row" in node.text()
