"""What a killed node has left is waited for before another one is started."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

from tongbao.node.processes.remains import await_remains

ENDS_S = 0.3
PATIENCE_S = 30.0


def remains(folder: Path) -> subprocess.Popen[bytes]:
    """A process that looks like one of a node of this folder, until its input ends."""
    program = "import sys; print(flush=True); sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "tongbao.node.processes.core", "8", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stdout.readline()
    return process


def test_what_a_killed_node_has_left_is_waited_for(tmp_path: Path) -> None:
    """
    Given a process of a node of a folder, whose supervisor is not there any more,
    when a node of that folder is started,
    then it waits until that process has ended, but no longer than it may.
    """
    with remains(tmp_path) as process:
        assert process.stdin is not None
        begun = time.monotonic()
        await_remains(tmp_path, ENDS_S)
        assert time.monotonic() - begun >= ENDS_S and process.poll() is None
        threading.Timer(ENDS_S, process.stdin.close).start()
        await_remains(tmp_path, PATIENCE_S)
        assert process.wait(0) == 0


def test_processes_of_other_folders_are_not_waited_for(tmp_path: Path) -> None:
    """
    Given a process of a node of another folder,
    when a node of this folder is started,
    then it does not wait.
    """
    with remains(tmp_path / "other") as process:
        assert process.stdin is not None
        await_remains(tmp_path, PATIENCE_S)
        assert process.poll() is None
        process.stdin.close()
