"""`tongbao demo purchases` as people use it: stopped in the middle, started again, looked at."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx2

COMMAND: Final = (sys.executable, "-m", "tongbao.cli.main", "demo", "purchases", "--port", "0")
BUSY: Final = 75
INTERRUPTED: Final = 130


@contextmanager
def started(folder: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """The command on a folder; whatever a test leaves of it is killed."""
    with subprocess.Popen(
        [*COMMAND, "--folder", str(folder), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line_with(process: subprocess.Popen[str], words: str) -> str:
    """The next line of standard error with these words; what came before is passed over."""
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return line
    raise AssertionError(f"the command ended without a line with {words!r}")


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """How a command ended, and its last line."""
    told, complaint = process.communicate(timeout=120)
    lines = (told.strip() or complaint.strip()).splitlines()
    return process.returncode, lines[-1]


def test_a_start_that_was_stopped_goes_on_and_then_serves(tmp_path: Path) -> None:
    """
    Given a start that gets Ctrl-C once its accounts are open,
    when the command is started again for 300 baskets, and once more beside it,
    then the first says that it can go on; the second pays, agrees, and serves until Ctrl-C with its
    verdict as the last line; the third is told that the chain is in use.
    """
    with started(tmp_path, "--count", "3000") as first:
        line_with(first, "accounts")
        first.send_signal(signal.SIGINT)
        code, last = ended(first)
    assert (code, "goes on from here" in last) == (INTERRUPTED, True)

    with started(tmp_path, "--count", "300") as second:
        address = line_with(second, "pages").split()[1].rstrip("/")
        line_with(second, "serving")
        assert httpx2.get(f"{address}/v1").json()["height"] > 1
        with started(tmp_path, "--once") as third:
            code, last = ended(third)
            assert (code, last.startswith("error: ")) == (BUSY, True)
        second.send_signal(signal.SIGINT)
        code, last = ended(second)
    assert (code, last.startswith("agreed: ")) == (0, True)
    assert last.endswith(" payments, 0 totals differ from the data file")


def test_a_node_that_was_killed_is_missed(tmp_path: Path) -> None:
    """
    Given a run of 100 baskets that goes on serving,
    when its node is killed,
    then the command names the log and ends with the error; a start with --once ends by itself.
    """
    with started(tmp_path, "--count", "100") as run:
        line_with(run, "serving")
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()
        subprocess.run(["kill", "-9", *children], check=True)
        assert run.wait(timeout=60) != 0
        assert "node.log" in line_with(run, "do:")
        assert line_with(run, "error:") == "error: the node has ended by itself\n"
    with started(tmp_path, "--count", "100", "--once") as again:
        assert ended(again)[0] == 0
