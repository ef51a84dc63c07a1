"""CPU time of processes, as Linux counts it: a tree of them, told apart by what they run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
ROLES: Final = (
    (b"launcher.py", "cometbft"),
    (b"cometbft", "cometbft"),
    (b"abci-cli", "application"),
    (b"tongbao.engines.verifier", "application"),
    (b"kvstore", "client"),
)
"""What a command line contains, and what its process is then; any other is an application.

A node of ours is application and client in one, since the payments are handed over in its process.
"""


def cpu_seconds(pid: int) -> dict[str, float]:
    """Seconds of user and system CPU so far, of a process and all below it, by their roles."""
    found: dict[str, float] = {}
    for each in (pid, *descendants(pid)):
        with suppress(OSError):  # it has just ended
            stat = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            role = _role(Path(f"/proc/{each}/cmdline").read_bytes())
            found[role] = found.get(role, 0.0) + (int(stat[11]) + int(stat[12])) / TICKS_PER_S
    return found


def difference(after: dict[str, float], before: dict[str, float]) -> dict[str, float]:
    """What was used in between."""
    return {role: seconds - before.get(role, 0.0) for role, seconds in after.items()}


def descendants(pid: int) -> Iterator[int]:
    """All processes below one."""
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                yield child
                yield from descendants(child)


def _role(command: bytes) -> str:
    return next((role for sign, role in ROLES if sign in command), "application")
