"""What a node costs while nobody asks anything: CPU and memory of a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from threading import Event

from tongbao.sdk.opening import create_chain

PASSPHRASE = "nothing of value is here"
SECONDS = 20.0
SETTLED_S = 2.0
RESIDENT = re.compile(r"VmRSS:\s+(\d+) kB")
ADDRESS = re.compile(rb"served at (http://\S+)")


def measure(folder: Path) -> dict[str, float]:
    """Percent of one core, and resident MB, of `tongbao run` on a new chain."""
    chain, _ = create_chain(folder, passphrase=PASSPHRASE, name="idle")
    chain.close()
    command = [sys.executable, "-m", "tongbao.cli.main", "run", "--folder", str(folder)]
    environment = {**os.environ, "TONGBAO_PASSPHRASE": PASSPHRASE}
    never = Event()
    with subprocess.Popen(
        [*command, "--port", "0"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        try:
            while not ADDRESS.search(line := process.stderr.readline()):
                assert line, "the node did not start"
            never.wait(SETTLED_S)
            before = _ticks(process.pid)
            never.wait(SECONDS)
            used = (_ticks(process.pid) - before) / os.sysconf("SC_CLK_TCK")
            resident = _resident_mb(process.pid)
        finally:
            process.terminate()
    return {"idle_cpu_percent": 100 * used / SECONDS, "idle_rss_mb": resident}


def _ticks(pid: int) -> int:
    """Clock ticks that a process has used, of itself and in the kernel."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _resident_mb(pid: int) -> float:
    """Resident memory, with the pages of libraries and of the LMDB map."""
    found = RESIDENT.search(Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024
