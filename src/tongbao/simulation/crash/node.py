"""A node process as the campaign sees it: started, waited for, stopped for a while, killed."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec

from tongbao.simulation.crash.nursery import Order, Reap
from tongbao.simulation.crash.points import Death, Trouble
from tongbao.store.closable import Closable

MS: Final = 1_000


class Node:
    """One process that serves, from its start to its end."""

    def __init__(self, process: int) -> None:
        """Watch a process."""
        self.process = process
        self._descriptor = os.pidfd_open(process)
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLIN)

    def has_ended(self, within_s: float) -> bool:
        """Whether it ends within a time; True as soon as it does."""
        return bool(self._poll.poll(max(0.0, within_s) * MS))

    def signal(self, number: int) -> None:
        """Send it a signal. One that has ended gets none."""
        try:
            signal.pidfd_send_signal(self._descriptor, number)
        except ProcessLookupError:
            return

    def close(self) -> None:
        """Watch no more."""
        os.close(self._descriptor)


class Nursery(Closable):
    """The process that makes nodes."""

    def __init__(self) -> None:
        """Start it; it loads what nodes need."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tongbao.simulation.crash.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def _ask(self, order: Order | Reap) -> int:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(order) + b"\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def start(
        self,
        folder: Path,
        port: int,
        log: Path,
        death: Death | None = None,
        trouble: Trouble = Trouble.NONE,
    ) -> Node:
        """A new node."""
        return Node(self._ask(Order(str(folder), port, str(log), death, trouble)))

    def reap(self, node: Node) -> int:
        """Wait for its end: the code, or the negative number of the signal."""
        code = self._ask(Reap(node.process))
        node.close()
        return code

    def close(self) -> None:
        """End it, and every node."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
