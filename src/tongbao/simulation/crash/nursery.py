"""A process that has loaded everything a node needs, and makes nodes by `fork`.

`python -m tongbao.simulation.crash.nursery` reads orders, a JSON object a line, and answers each by
a line. A node is a process of its own from then on: what it shared, it shared before it opened
anything. It has no threads itself, so that a fork is safe. It ends with its input, and its nodes
with it.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from tongbao.simulation.crash.points import Death, Trouble
from tongbao.simulation.crash.serving import serve_folder


class Order(Struct, tag=True):
    """Start a node of a folder."""

    folder: str
    port: int
    log: str
    death: Death | None = None
    trouble: Trouble = Trouble.NONE


class Reap(Struct, tag=True):
    """Wait for a process to end, and say how: the number of its signal, negative, or its code."""

    process: int


_decoder: Final = msgspec.json.Decoder(Order | Reap)


def start(order: Order) -> int:
    """The process of a new node."""
    process = os.fork()
    if process:
        return process
    os.close(sys.stdin.fileno())
    serve_folder(Path(order.folder), order.port, order.death, order.trouble, Path(order.log))
    raise SystemExit(0)


def main() -> int:
    """Take orders until there are no more."""
    alive: set[int] = set()
    for line in sys.stdin:
        order = _decoder.decode(line)
        if isinstance(order, Order):
            answer = start(order)
            alive.add(answer)
        else:
            answer = os.waitstatus_to_exitcode(os.waitpid(order.process, 0)[1])
            alive.discard(order.process)
        print(answer, flush=True)
    for process in alive:
        os.kill(process, signal.SIGKILL)
    return 0


if __name__ == "__main__":
    sys.exit(main())
