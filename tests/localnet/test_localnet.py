"""`tongbao localnet` as people use it: real nodes, orders from another terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from tests.engines.cometbft.needed import not_tested
from tests.engines.cometbft.real import PROGRAM
from tongbao.cli.exits import Exit

COMMAND: Final = (sys.executable, "-m", "tongbao.cli.main", "localnet")
SECONDS: Final = 240


@pytest.fixture(autouse=True)
def program() -> None:
    """CometBFT, or no test."""
    if not PROGRAM.is_file():
        not_tested(str(PROGRAM))


@contextmanager
def running(folder: Path, validators: int) -> Iterator[subprocess.Popen[str]]:
    """The network of a folder, once all of its nodes answer."""
    command = [*COMMAND, "--folder", str(folder), "--validators", str(validators)]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        try:
            assert run.stderr is not None
            for line in run.stderr:
                if "Ctrl-C stops it" in line:
                    break
            else:
                raise AssertionError("the network did not start")
            yield run
        finally:
            if run.poll() is None:
                run.send_signal(signal.SIGINT)
            run.communicate(timeout=SECONDS)


def order(folder: Path, *words: str) -> tuple[int, Any]:
    """Give an order in another process: its exit code and its JSON."""
    found = subprocess.run(
        [*COMMAND, *words, "--folder", str(folder), "--json"],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return found.returncode, json.loads(found.stdout)


def states(folder: Path) -> dict[str, str]:
    """Whether each node is up."""
    code, found = order(folder, "status")
    assert code == 0
    return {node["node"]: node["state"] for node in found["nodes"]}


def test_members_are_killed_revived_added_and_removed(tmp_path: Path) -> None:
    """
    Given a network of three validators,
    when one is killed and revived, another paused and revived, a fourth is added and removed, a
    wrong name is given and a second start is tried,
    then each order does what it says; all nodes have one root; the wrong ones are refused; and a
    start after the end goes on with the same chain.
    """
    folder = tmp_path / "net"
    with running(folder, 3):
        assert order(folder, "kill", "node3")[0] == 0
        assert states(folder)["node3"] == "down"
        assert order(folder, "revive", "node3")[0] == 0
        assert order(folder, "pause", "node2")[0] == 0
        assert states(folder)["node2"] == "paused"
        assert order(folder, "revive", "node2")[0] == 0
        assert order(folder, "add", "node4")[0] == 0
        code, found = order(folder, "status")
        assert {node["state"] for node in found["nodes"]} == {"up"}
        assert {node["power"] for node in found["nodes"]} == {1}
        assert order(folder, "remove", "node4")[0] == 0
        assert set(states(folder)) == {"node1", "node2", "node3"}
        code, said = order(folder, "kill", "node9")
        assert (code, "there is no 'node9' here" in said["error"]) == (66, True)
        again = subprocess.run(
            [*COMMAND, "--folder", str(folder)],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert (again.returncode, "runs already" in again.stderr) == (75, True)
        assert order(folder, "wipe", "--yes")[0] == 75
    with running(folder, 3):
        nodes = order(folder, "status")[1]["nodes"]
        assert min(node["height"] for node in nodes) > 1
        assert order(folder, "stop")[0] == 0
    assert order(folder, "wipe", "--yes")[0] == 0
    assert not folder.exists()


def test_nodes_that_a_killed_process_has_left_are_ended_by_stop_and_start(tmp_path: Path) -> None:
    """
    Given a network whose own process is killed, so that its nodes go on,
    when it is stopped, and when another such one is started again,
    then the nodes are ended first, and the network goes on.
    """
    folder = tmp_path / "net"
    with running(folder, 1) as run:
        run.kill()
    assert order(folder, "stop")[0] == 0
    assert order(folder, "stop")[0] == 69
    with running(folder, 1) as run:
        run.kill()
    with running(folder, 1):
        assert states(folder) == {"node1": "up"}
    assert order(folder, "wipe", "--yes")[0] == 0


def test_a_network_shrinks_to_its_last_operator(tmp_path: Path) -> None:
    """
    Given three validators, of whose operators three must agree,
    when two are removed, one after the other, and then the last,
    then those who are left decide each time, and the last one stays.
    """
    folder = tmp_path / "net"
    with running(folder, 3):
        assert order(folder, "remove", "node3")[0] == 0
        assert order(folder, "remove", "node2")[0] == 0
        code, said = order(folder, "remove", "node1")
        assert (code, "the last operator" in said["error"]) == (1, True)
        assert states(folder) == {"node1": "up"}


def test_a_network_that_has_started_takes_part(tmp_path: Path) -> None:
    """
    Given a network of three that says it has started,
    when each and its CometBFT are asked, at once,
    then all are ready, and none still fetches blocks: it would drop what others pass on to it.
    """
    folder = tmp_path / "net"
    with running(folder, 3):
        members = json.loads((folder / "localnet.json").read_text())["members"]
        said = [httpx2.get(f"http://{m['host']}:{m['http_port']}/readyz").text for m in members]
        assert said == ['{"ready":true,"reasons":[]}'] * 3
        for member in members:
            address = f"http://{member['host']}:{member['rpc_port']}/status"
            found = httpx2.get(address, timeout=SECONDS).json()
            assert found["result"]["sync_info"]["catching_up"] is False


def processes_of(folder: Path) -> list[str]:
    """The command lines of all processes that name a folder or what is in it."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            words = file.read_bytes()
            if os.fsencode(folder) in words:
                found.append(words.replace(b"\0", b" ").decode(errors="replace"))
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_start_that_is_broken_off_leaves_no_node_running(
    tmp_path: Path, number: signal.Signals
) -> None:
    """
    Given a network that is being started, whose first node answers and whose others may not,
    when the command is told to end, as a service manager or Ctrl-C does,
    then it stops what it has started before it ends: no process names the folder any more.
    """
    folder = tmp_path / "net"
    command = [*COMMAND, "--folder", str(folder), "--validators", "3"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as run:
        assert run.stderr is not None
        said = next(line for line in run.stderr if "node1 answers" in line or "Ctrl-C" in line)
        assert "node1 answers" in said
        run.send_signal(number)
        run.communicate(timeout=SECONDS)
    assert run.returncode == Exit.INTERRUPTED
    assert processes_of(folder) == []
