"""A process that sends transactions over WebSockets, one a message, and counts what was applied.

`python -m bench.socket_sender ADDRESS FILE CONNECTIONS`: FILE has a transaction a line. Messages
are framed beforehand (RFC 6455 section 5.2), under a mask of zeros, so that sending is copying; a
real client takes masks that nobody foresees. It prints how long all took, and its CPU, as JSON.
"""

from __future__ import annotations

import base64
import os
import selectors
import socket
import sys
from pathlib import Path
from time import monotonic, process_time

import msgspec
from msgspec import Struct

from bench.sender import APPLIED, HEAD_END

PATH = "/v1/transactions/socket"
TEXT = b"\x81"
MASKED = 0x80
IN_TWO_BYTES = 126
LARGEST = 65_535
NO_MASK = bytes(4)
CHUNK = 262_144
SILENCE_S = 60.0
WRONG = (b'"state":"refused"', b'"state":"invalid"', b'"state":"not taken"', b'"state":"pending"')
UPGRADE = (
    "GET {} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n\r\n"
)


class Streamed(Struct):
    """What became of all. Moments are those of the machine's monotonic clock."""

    payments: int
    begun: float
    ended: float
    cpu_s: float


def frame(wire: bytes) -> bytes:
    """A transaction as a text message of a client."""
    length = len(wire)
    assert length <= LARGEST, "longer than this program frames"
    if length < IN_TWO_BYTES:
        return TEXT + bytes([MASKED | length]) + NO_MASK + wire
    return TEXT + bytes([MASKED | IN_TWO_BYTES]) + length.to_bytes(2, "big") + NO_MASK + wire


class Stream:
    """One WebSocket with its share of the transactions."""

    def __init__(self, host: str, port: int, wires: list[bytes]) -> None:
        """Connect and upgrade."""
        self.socket = socket.create_connection((host, port), timeout=SILENCE_S)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(UPGRADE.format(PATH, key).encode())
        head = b""
        while HEAD_END not in head:
            got = self.socket.recv(CHUNK)
            assert got, head
            head += got
        assert head.startswith(b"HTTP/1.1 101 "), head
        self.socket.setblocking(False)
        self.left = memoryview(b"".join(map(frame, wires)))
        self.missing = len(wires)
        self._tail = b""

    def push(self) -> None:
        """Send what the socket takes now."""
        try:
            while self.left:
                self.left = self.left[self.socket.send(self.left[:CHUNK]) :]
        except BlockingIOError:
            return

    def pull(self) -> None:
        """Count what has come."""
        got = self.socket.recv(CHUNK)
        assert got, "the node has closed a connection"
        data = self._tail + got
        wrong = next((sign for sign in WRONG if sign in data), None)
        assert wrong is None, data[max(0, data.find(wrong or b"") - 500) :][:1_000]
        self.missing -= data.count(APPLIED)
        # A sign that was cut in two is counted with the next part, a whole one is not again.
        keep = len(APPLIED) - 1
        self._tail = data[-keep:]


def send(address: str, wires: list[bytes], connections: int) -> Streamed:
    """Send all, shared by so many connections, and wait for every answer."""
    host, _, port = address.removeprefix("http://").rpartition(":")
    with selectors.DefaultSelector() as selector:
        streams = [Stream(host, int(port), wires[at::connections]) for at in range(connections)]
        for one in streams:
            selector.register(one.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, one)
        cpu, begun = process_time(), monotonic()
        while any(one.missing for one in streams):
            found = selector.select(SILENCE_S)
            assert found, f"no answer for {SILENCE_S:.0f} s"
            for key, events in found:
                one = key.data
                if events & selectors.EVENT_WRITE:
                    one.push()
                    if not one.left:
                        selector.modify(one.socket, selectors.EVENT_READ, one)
                if events & selectors.EVENT_READ:
                    one.pull()
        ended, used = monotonic(), process_time() - cpu
        for one in streams:
            one.socket.close()
    return Streamed(len(wires), begun, ended, used)


def main(address: str, file: str, connections: str) -> None:
    """Do what the command line says."""
    wires = Path(file).read_bytes().split(b"\n")
    print(msgspec.json.encode(send(address, wires, int(connections))).decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
