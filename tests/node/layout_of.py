"""The processes of a node that runs: which there are, and how to kill or pause one."""

from __future__ import annotations

import os
import re
import select
import signal
from contextlib import suppress
from pathlib import Path
from typing import Final

from tests.node.process import Node

MODULE: Final = re.compile(rb"tongbao\.node\.processes\.(\w+)")
END_MS: Final = 30_000


def processes_of(node: Node) -> dict[int, str]:
    """The role of each process that a node's supervisor has started, by its number."""
    return processes_under(node.process.pid)


def processes_under(supervisor: int) -> dict[int, str]:
    """The role of each process that a supervisor has started, by its number."""
    found = {}
    for task in Path(f"/proc/{supervisor}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            with suppress(OSError):  # it has just ended
                role = MODULE.search(Path(f"/proc/{child}/cmdline").read_bytes())
                if role is not None:
                    found[child] = role[1].decode()
    return found


def signal_role(node: Node, role: str, number: signal.Signals) -> int:
    """Send one process of a role a signal; the process's number."""
    process = next(found for found, name in processes_of(node).items() if name == role)
    os.kill(process, number)
    return process


def kill_role(node: Node, role: str) -> int:
    """Kill one process of a role, and wait for its end; the number that it had."""
    process = next(number for number, name in processes_of(node).items() if name == role)
    descriptor = os.pidfd_open(process)
    try:
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        assert poll.poll(END_MS), f"the {role} lives on"
    finally:
        os.close(descriptor)
    return process
