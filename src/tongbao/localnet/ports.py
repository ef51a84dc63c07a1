"""Ports that a node keeps while it is down, too."""

from __future__ import annotations

import secrets
import socket
from itertools import count
from typing import Final

from tongbao.localnet.errors import LocalnetError

HOST: Final = "127.0.0.1"

LOWEST: Final = 10_000
HIGHEST: Final = 32_767
"""Systems give outgoing connections a port from 32,768 (Linux) or 49,152 (IANA's range, RFC 6335
section 6) on. One from there may be gone when a node that was stopped starts again."""

_SPAN: Final = HIGHEST - LOWEST + 1
_turn = count(secrets.randbelow(_SPAN))
"""Where this process goes on to look: somewhere else than others, and never soon at the same."""


def free_ports(wanted: int, host: str = HOST) -> list[int]:
    """Ports of an address that nobody listens on, and that no outgoing connection is given.

    A process gets none of them twice before it had all others. Raises LocalnetError.
    """
    found: list[int] = []
    for _ in range(_SPAN):
        if len(found) == wanted:
            return found
        port = LOWEST + next(_turn) % _SPAN
        if is_free(host, port):
            found.append(port)
    raise LocalnetError(
        f"{host} has no {wanted} free ports from {LOWEST} to {HIGHEST}", "end what listens there"
    )


def is_free(host: str, port: int) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as found:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((host, port))
        except OSError:
            return False
    return True
