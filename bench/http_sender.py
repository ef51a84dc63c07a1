"""The other process of `over_http`: sends payments, or follows events, and prints what it saw.

`python -m bench.http_sender batches|singles|follow ADDRESS FILE RATE`: a transaction a line in
FILE, RATE single payments a second, 0 for as fast as they are answered.
"""

from __future__ import annotations

import json
import socket
import statistics
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from time import perf_counter

import httpx2
from websockets.sync.client import connect

BATCH = 500
BATCH_CONNECTIONS = 16
CONNECTIONS = 16
CHUNK = 65_536
FIRST_PLACE = "0.0"
HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length: "


def send_batches(address: str, wires: list[str], _: float) -> dict[str, float]:
    """Batches of 500 over sixteen connections, each answer after its block is durable."""
    bodies = [
        json.dumps({"transactions": wires[at : at + BATCH]}).encode()
        for at in range(0, len(wires), BATCH)
    ]
    headers = {"content-type": "application/json"}
    with httpx2.Client(base_url=address, timeout=60) as client:

        def post(body: bytes) -> int:
            answer = client.post("/v1/transactions", content=body, headers=headers)
            return answer.text.count('"state":"applied"')

        begun = perf_counter()
        with ThreadPoolExecutor(BATCH_CONNECTIONS) as pool:
            applied = sum(pool.map(post, bodies))
        seconds = perf_counter() - begun
    assert applied == len(wires), applied
    return {"rate": len(wires) / seconds}


def send_singles(address: str, wires: list[str], rate: float) -> dict[str, float]:
    """One payment a request over sixteen kept-alive connections; latency in ms.

    With a rate, each has an intended send time, from which its latency counts.
    """
    host, _, port = address.removeprefix("http://").rpartition(":")
    head = "POST /v1/transactions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/jose\r\n"
    requests = [f"{head}Content-Length: {len(wire)}\r\n\r\n{wire}".encode() for wire in wires]
    waited: list[float] = []
    never = Event()
    begun = perf_counter()

    def talk(first: int) -> None:
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            for at in range(first, len(requests), CONNECTIONS):
                due = begun + at / rate if rate else perf_counter()
                if (ahead := due - perf_counter()) > 0:
                    never.wait(ahead)
                connection.sendall(requests[at])
                answer = receive(connection)
                waited.append((perf_counter() - due) * 1000)
                assert answer.startswith(b"HTTP/1.1 200 "), answer

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(talk, range(CONNECTIONS)))
    seconds = perf_counter() - begun
    cuts = statistics.quantiles(waited, n=100)
    return {"rate": len(wires) / seconds, "p50": cuts[49], "p95": cuts[94], "p99": cuts[98]}


def receive(connection: socket.socket) -> bytes:
    """One whole answer with a Content-Length."""
    found = b""
    while HEAD_END not in found:
        found += connection.recv(CHUNK)
    head, _, body = found.partition(HEAD_END)
    length = int(head.lower().partition(LENGTH)[2].partition(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(CHUNK)
    return head + HEAD_END + body


def follow(address: str, _: list[str], __: float) -> dict[str, float]:
    """All events from the first block on over a WebSocket, a second, until the last one."""
    last = httpx2.get(f"{address}/v1").json()["height"]
    target = address.replace("http://", "ws://") + f"/v1/events/socket?after={FIRST_PLACE}"
    count = 0
    with connect(target, max_size=2**22) as socket_:
        begun = perf_counter()
        while True:
            happening = json.loads(socket_.recv(timeout=60))
            count += 1
            if happening["height"] == last:
                return {"rate": count / (perf_counter() - begun)}


WAYS: dict[str, Callable[[str, list[str], float], dict[str, float]]] = {
    "batches": send_batches,
    "singles": send_singles,
    "follow": follow,
}


def main() -> None:
    """Do what the command line says and print the figures as JSON."""
    how, address, name, rate = sys.argv[1:]
    print(json.dumps(WAYS[how](address, Path(name).read_text().split("\n"), float(rate))))


if __name__ == "__main__":
    main()
