"""A campaign that is killed leaves no process, and its folder is removed by the next one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.engines.cometbft.needed import not_tested
from tongbao.engines.cometbft.program import ProgramError, find_program
from tongbao.simulation.network.__main__ import PREFIX, clean

SECONDS = 90
LOOK_S = 0.1


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short name: the sockets of nodes stand below it."""
    folder = Path(tempfile.mkdtemp(prefix="tj-"))
    yield folder
    shutil.rmtree(folder)


def processes_of(text: str) -> list[int]:
    """The processes whose command has a text in it."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if text.encode() in path.read_bytes():
                found.append(int(path.parent.name))
    return found


def comes(is_so: Callable[[], bool]) -> bool:
    """Whether something is so within a time."""
    until = time.monotonic() + SECONDS
    while not is_so() and time.monotonic() < until:
        threading.Event().wait(LOOK_S)
    return is_so()


def test_a_killed_campaign_leaves_nothing(short: Path) -> None:
    """
    Given a campaign whose nodes and their CometBFT run,
    when the campaign is killed by signal 9,
    then all of them end with it, and the next campaign removes its folder.
    """
    try:
        find_program()
    except ProgramError:
        not_tested("CometBFT")
    command = [sys.executable, "-m", "tongbao.simulation.network", "--quick", "--out", str(short)]
    campaign = subprocess.Popen(command, env={**os.environ, "TMPDIR": str(short)})
    name = f"{PREFIX}{campaign.pid}"
    try:
        assert comes(lambda: len(processes_of(name)) >= 8), "four nodes, and CometBFT of each"
    finally:
        campaign.send_signal(signal.SIGKILL)
        campaign.wait()
    assert comes(lambda: not processes_of(name))
    assert (short / name).exists()
    clean(short)
    assert not (short / name).exists()
