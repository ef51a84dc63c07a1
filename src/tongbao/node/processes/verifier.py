"""A verifier: a process that knows nothing but the rule of signatures, and checks for a front."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

from tongbao.engines.verifier import serve
from tongbao.node.processes.child import Child
from tongbao.node.processes.layout import VERIFIER, socket_name


def run(child: Child) -> None:
    """Serve one front after the other, until the node ends."""
    path = Path(child.orders.sockets) / socket_name(VERIFIER, child.orders.number)
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(path))
        listening.listen(1)
        child.ready()
        while not child.is_told_to_stop:
            _serve(listening.accept()[0])


def _serve(front: socket.socket) -> None:
    """Check for a front until it ends."""
    with (
        suppress(OSError),  # it has ended before its answers
        front,
        front.makefile("rb") as source,
        front.makefile("wb") as target,
    ):
        serve(source, target)


if __name__ == "__main__":
    Child.main(run)
