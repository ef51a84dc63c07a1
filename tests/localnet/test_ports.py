"""Ports of nodes: nobody else is given one while its node is down."""

from __future__ import annotations

import socket

from tongbao.localnet.ports import HIGHEST, HOST, LOWEST, free_ports, is_free


def test_no_outgoing_connection_is_given_a_nodes_port() -> None:
    """Given many outgoing connections, when a node chooses ports, then from elsewhere than they."""
    with socket.create_server((HOST, 0)) as server:
        given = [socket.create_connection(server.getsockname()) for _ in range(50)]
        try:
            outgoing = [int(each.getsockname()[1]) for each in given]
        finally:
            for each in given:
                each.close()
    assert min(outgoing) > HIGHEST
    assert all(LOWEST <= port <= HIGHEST for port in free_ports(50))


def test_a_process_is_not_given_a_port_twice() -> None:
    """Given ports that nobody listens on yet, when others are asked for, then they are others."""
    ports = [*free_ports(20), *free_ports(20)]
    assert len(set(ports)) == len(ports)


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    """Given one that listens, when its port is asked about, then it is taken, and passed over."""
    [port] = free_ports(1)
    assert is_free(HOST, port)
    with socket.create_server((HOST, port)):
        assert not is_free(HOST, port)
