"""A wire in front of a program hands everything on, and sees what is planted."""

from __future__ import annotations

import socket
import threading
from contextlib import closing

from tongbao.demo.market.wires import Wire

FORMS = {"plain": b"planted text", "other": b"another text"}


def echo(listening: socket.socket) -> None:
    """Say what the first caller says."""
    caller, _ = listening.accept()
    with caller:
        while piece := caller.recv(4):
            caller.sendall(piece)


def through(wire: Wire, said: bytes) -> bytes:
    """What comes back of what is said to an echo behind a wire."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=echo, args=(listening,))
        thread.start()
        wire.to(f"http://127.0.0.1:{listening.getsockname()[1]}")
        host, _, port = wire.address.rpartition("//")[2].rpartition(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(said)
            client.shutdown(socket.SHUT_WR)
            heard = b"".join(iter(lambda: client.recv(1_000), b""))
        thread.join()
    return heard


def test_what_is_planted_is_seen_however_it_is_cut() -> None:
    """
    Given a program that answers in pieces of four bytes,
    when a planted text goes through the wire in front of it,
    then it is handed on both ways and seen, and another text is not.
    """
    with closing(Wire("echo", FORMS)) as wire:
        said = b"x" * 1_001 + FORMS["plain"] + b"y" * 999
        assert through(wire, said) == said
        assert (wire.found, wire.bytes) == ({"plain"}, 2 * len(said))


def test_where_nothing_is_planted_nothing_is_seen() -> None:
    """
    Given the same,
    when other bytes go through,
    then nothing is seen.
    """
    with closing(Wire("echo", FORMS)) as wire:
        assert through(wire, b"planted tex") == b"planted tex"
        assert wire.found == set()
