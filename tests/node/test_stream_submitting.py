"""Transactions over a WebSocket: in order, each answered, whichever processes a node has."""

from __future__ import annotations

import socket as sockets
import struct
from pathlib import Path
from typing import Final

import pytest
from msgspec import json
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.node.process import lay, owned, running
from tongbao.node.stream_submitting import SOCKET_PATH, UNDER_WAY

PAYMENTS = 200
MANY = 900
RESET: Final = struct.pack("ii", 1, 0)
"""Of SO_LINGER: closing resets the connection."""


@pytest.mark.parametrize("processes", ["1", "2"])
def test_each_message_is_answered_in_its_order(tmp_path: Path, processes: str) -> None:
    """
    Given a WebSocket for transactions,
    when many payments are sent without waiting, then what is no transaction,
    then there is an answer to each in the order of the messages, and each has happened once.
    """
    ground = lay(tmp_path / "chain")
    with running(ground.folder, "--processes", processes, "--log-level", "warning") as node:
        wires = [ground.payment(0, nonce).decode() for nonce in range(1, PAYMENTS + 1)]
        with connect(node.address.replace("http", "ws") + SOCKET_PATH) as socket:
            for wire in (*wires, "none"):
                socket.send(wire)
            answers = [json.decode(socket.recv(timeout=30)) for _ in range(PAYMENTS + 1)]
        assert [one["state"] for one in answers] == ["applied"] * PAYMENTS + ["invalid"]
        places = [(one["height"], one["index"]) for one in answers[:PAYMENTS]]
        assert places == sorted(places) and len(set(places)) == PAYMENTS
        assert owned(node, ground.shop) == f"{PAYMENTS / 100:.2f}"
        assert node.client.get(SOCKET_PATH).status_code == 426
        assert node.stop() == 0


def test_a_node_that_stops_says_so_on_the_stream(tmp_path: Path) -> None:
    """
    Given a WebSocket for transactions, and more of them than may be under way,
    when the node is told to stop once the first were answered,
    then the WebSocket ends with "going away", and the node with 0.
    """
    ground = lay(tmp_path / "chain")
    with (
        running(ground.folder, "--log-level", "warning") as node,
        connect(node.address.replace("http", "ws") + SOCKET_PATH) as socket,
    ):
        wires = [ground.payment(0, nonce).decode() for nonce in range(1, 100)]
        for number in range(UNDER_WAY + 100):
            socket.send(wires[number % len(wires)])
        assert json.decode(socket.recv(timeout=30))["state"] == "applied"
        assert node.stop() == 0
        assert ended_with(socket) == 1001


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_sender_that_drops_leaves_no_line_an_answer_in_the_log(
    tmp_path: Path, processes: str
) -> None:
    """
    Given a WebSocket for transactions,
    when many payments are sent, and the connection is reset before their answers,
    then all that came are decided as ever, and the log has no line about answers nobody reads.
    """
    ground = lay(tmp_path / "chain")
    with running(ground.folder, "--processes", processes, "--log-level", "warning") as node:
        wires = [ground.payment(number % 4, number // 4 + 1).decode() for number in range(MANY)]
        with connect(node.address.replace("http", "ws") + SOCKET_PATH) as socket:
            for wire in wires:
                socket.send(wire)
            socket.socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, RESET)
            socket.socket.shutdown(sockets.SHUT_RD)  # so that nothing but the reset is said
        while "\ntongbao_streams 0.0\n" not in node.client.get("/metrics").text:
            pass
        assert node.stop() == 0
        assert "socket.send() raised exception" not in node.text()


def ended_with(socket: ClientConnection) -> int | None:
    """The code with which the other side ends a connection, after all that it still says."""
    try:
        while True:
            socket.recv(timeout=30)
    except ConnectionClosed as error:
        return None if error.rcvd is None else error.rcvd.code
