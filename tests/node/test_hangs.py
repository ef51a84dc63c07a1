"""A core that hangs, or has not begun: the node says so, takes what comes, and can be stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from tests.node.layout_of import processes_of, processes_under, signal_role
from tests.node.process import (
    ENVIRONMENT,
    START_S,
    Ground,
    Node,
    command,
    lay,
    owned,
    running,
)
from tongbao.node.processes.front_link import SILENT_S
from tongbao.node.processes.remote_engine import SILENT

SPLIT: Final = ("--processes", "2")


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """A folder with a chain, closed."""
    return lay(tmp_path / "chain")


def readiness(node: Node, seconds: float) -> Iterator[tuple[int, list[str]]]:
    """Ask a node whether it is ready, again and again for some time: status and reasons."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        answer = node.client.get("/readyz")
        yield answer.status_code, answer.json().get("reasons", [])
        with suppress(subprocess.TimeoutExpired):
            node.process.wait(0.1)


def test_a_node_whose_core_hangs_is_not_ready_until_it_goes_on(ground: Ground) -> None:
    """
    Given a node that nobody asks to do anything, which is ready all the time,
    when its core hangs, and a payment comes,
    then the node is not ready and says why, the payment waits, and all is well once the core is.
    """
    with running(ground.folder, *SPLIT, "--decide-ms", "200") as node:
        assert set(map(str, readiness(node, SILENT_S + 2))) == {"(200, [])"}
        signal_role(node, "core", signal.SIGSTOP)
        assert (503, [SILENT]) in readiness(node, START_S)
        assert "\ntongbao_ready 0.0\n" in node.client.get("/metrics").text
        wire = ground.payment(0, 1)
        assert node.send(wire).status_code == 202
        signal_role(node, "core", signal.SIGCONT)
        assert (200, []) in readiness(node, START_S)
        while owned(node, ground.shop) != "0.01":
            pass
        assert node.stop() == 0


def test_a_second_signal_ends_a_node_whose_core_hangs(ground: Ground) -> None:
    """
    Given a node whose core hangs, and that was told to stop, so that only the core is left,
    when it is told to stop once more,
    then the core is killed, the node ends with 70, and the next start has what was answered.
    """
    with running(ground.folder, *SPLIT, "--grace-ms", "100") as node:
        assert node.send(ground.payment(0, 1)).status_code == 200
        core = signal_role(node, "core", signal.SIGSTOP)
        node.process.send_signal(signal.SIGTERM)
        while len(processes_of(node)) > 1:
            pass
        assert node.stop() == 70, node.text()
        assert "the core does not end: it is killed" in node.text()
        assert not Path(f"/proc/{core}").exists()
    with running(ground.folder, *SPLIT) as again:
        assert owned(again, ground.shop) == "0.01"
        assert again.stop() == 0


def test_a_node_that_is_stopped_before_its_chain_is_open_says_so(ground: Ground) -> None:
    """
    Given a node that has just started its core, which does not get on,
    when it is told to stop before the core has opened the chain,
    then it ends with 0, and its last line says that.
    """
    with subprocess.Popen(
        command(ground.folder, *SPLIT, "--port", "0"),
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        while "core" not in (found := processes_under(process.pid)).values():
            pass
        [core] = [number for number, role in found.items() if role == "core"]
        os.kill(core, signal.SIGSTOP)
        while "front" not in processes_under(process.pid).values():
            pass  # it is the last one that is started
        process.send_signal(signal.SIGTERM)
        while len(processes_under(process.pid)) > 1:
            pass
        os.kill(core, signal.SIGCONT)
        said, _ = process.communicate(timeout=START_S)
    assert process.returncode == 0
    assert said.splitlines()[-1] == "stopped before the chain was open", said
