"""Links: what passes, what is held, and what is late, over real sockets."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tongbao.localnet.plan import FORMAT, Member, Plan
from tongbao.simulation.network.links import Links

PATIENCE_S = 10
MOMENT_S = 0.3


def member(name: str, digit: str) -> Member:
    """A member whose ports the links choose."""
    return Member(
        name=name,
        node_id=digit * 40,
        validator="",
        operator="",
        http_port=1,
        p2p_port=1,
        rpc_port=1,
    )


@contextmanager
def two() -> Iterator[tuple[Links, socket.socket, socket.socket]]:
    """Links between two members, and both ends of a connection from the first to the second."""
    plan = Plan(format=FORMAT, chain="c", members=(member("one", "1"), member("two", "2")))
    with Links() as links, socket.socket() as listening:
        placed = links.placed(plan)
        assert links.placed(placed) == placed
        one, other = placed.members
        listening.bind((other.host, other.p2p_port))
        listening.listen()
        (peer,) = links.peers(one, [other])
        node, address = peer.split("@")
        assert node == "2" * 40
        host, port = address.split(":")
        with socket.create_connection((host, int(port)), PATIENCE_S) as near:
            far, _ = listening.accept()
            with far:
                far.settimeout(PATIENCE_S)
                yield links, near, far


def test_bytes_pass_in_order() -> None:
    """
    Given a link,
    when bytes are sent from both sides and one side ends,
    then they come in order, and the other side learns of the end.
    """
    with two() as (_, near, far):
        sent = bytes(range(256)) * 1_000
        near.sendall(sent)
        found = b""
        while len(found) < len(sent):
            found += far.recv(65_536)
        assert found == sent
        far.sendall(b"back")
        assert near.recv(10) == b"back"
        near.close()
        assert far.recv(10) == b""


def test_a_cut_link_holds_what_is_sent_until_it_heals() -> None:
    """
    Given a connection over a link,
    when the link is cut,
    then nothing passes and nothing is refused; healed, everything that was sent arrives.
    """
    with two() as (links, near, far):
        links.cut([("two", "one")])
        near.sendall(b"held")
        far.settimeout(MOMENT_S)
        with pytest.raises(TimeoutError):
            far.recv(10)
        far.settimeout(PATIENCE_S)
        links.heal()
        assert far.recv(10) == b"held"


def test_a_slow_member_is_late_both_ways() -> None:
    """
    Given a connection over a link,
    when a member is slowed,
    then what is sent to it and by it takes at least so long, until it heals.
    """
    with two() as (links, near, far):
        links.slow("two", MOMENT_S)
        for sender, receiver in ((near, far), (far, near)):
            begun = time.monotonic()
            sender.sendall(b"late")
            assert receiver.recv(10) == b"late"
            assert time.monotonic() - begun >= MOMENT_S
        links.heal()
        near.sendall(b"soon")
        assert far.recv(10) == b"soon"
