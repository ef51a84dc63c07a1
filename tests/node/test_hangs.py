"""A core that hangs: the node says so, takes what comes, and can be stopped."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Final

import pytest

from tests.node.layout_of import processes_of, signal_role
from tests.node.process import Ground, lay, owned, running

SPLIT: Final = ("--processes", "2")


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """A folder with a chain, closed."""
    return lay(tmp_path / "chain")


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
