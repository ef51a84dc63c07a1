"""Signed payments over HTTP: batches and single ones, from another process on the same cores."""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

import httpx2

from bench.workload import Workload
from tongbao.engines.solo import Options
from tongbao.node.server import address_of, listen, serve, server_of
from tongbao.node.settings import Settings

BATCH = 500
CONNECTIONS = 4


def measure(workload: Workload, count: int, singles: int) -> dict[str, float]:
    """Payments a second by batches, and singly with their latency, each answer durable."""
    settings = Settings(port=0, log_level="warning", rate_per_s=10**6)
    chain = workload.chain(Options(queue_transactions=settings.queue_transactions))
    with listen(settings) as listening:
        server = server_of(chain, settings)
        thread = threading.Thread(target=serve, args=(server, listening))
        thread.start()
        address = address_of(listening)
        rates = []
        for run in range(4):
            rate = _elsewhere("batches", address, workload.payments(count))["rate"]
            if run:
                rates.append(rate)
        one_by_one = _elsewhere("singles", address, workload.payments(singles))
        server.should_exit = True
        thread.join()
    chain.close()
    return {
        "http_batch_tx_per_s": statistics.median(rates),
        "http_single_tx_per_s": one_by_one["rate"],
        "http_single_p50_ms": one_by_one["p50"],
        "http_single_p95_ms": one_by_one["p95"],
        "http_single_p99_ms": one_by_one["p99"],
    }


def _elsewhere(how: str, address: str, wires: list[bytes]) -> dict[str, float]:
    """Let another process send, and tell what it saw."""
    with tempfile.NamedTemporaryFile("wb", suffix=".jws") as file:
        file.write(b"\n".join(wires))
        file.flush()
        command = [sys.executable, "-m", "bench.over_http", how, address, file.name]
        ended = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(ended.stdout)
    return found


def send_batches(address: str, wires: list[str]) -> dict[str, float]:
    """Batches over a few connections."""
    bodies = [
        json.dumps({"transactions": wires[at : at + BATCH]}).encode()
        for at in range(0, len(wires), BATCH)
    ]
    headers = {"content-type": "application/json"}
    with httpx2.Client(base_url=address, timeout=60) as client:

        def post(body: bytes) -> int:
            answer = client.post("/v1/transactions", content=body, headers=headers)
            return answer.text.count('"applied"')

        begun = perf_counter()
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            applied = sum(pool.map(post, bodies))
        seconds = perf_counter() - begun
    assert applied >= len(wires), applied
    return {"rate": len(wires) / seconds}


def send_singles(address: str, wires: list[str]) -> dict[str, float]:
    """One payment a request, over sixteen kept-alive connections."""
    host, _, port = address.removeprefix("http://").rpartition(":")
    head = "POST /v1/transactions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/jose\r\n"
    requests = [f"{head}Content-Length: {len(wire)}\r\n\r\n{wire}".encode() for wire in wires]
    waited: list[float] = []

    def talk(share: list[bytes]) -> None:
        with socket.create_connection((host, int(port))) as connection:
            for request in share:
                begun = perf_counter()
                connection.sendall(request)
                answer = connection.recv(65_536)
                waited.append((perf_counter() - begun) * 1000)
                assert answer.startswith(b"HTTP/1.1 200 "), answer

    begun = perf_counter()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(talk, [requests[at::16] for at in range(16)]))
    rate = len(wires) / (perf_counter() - begun)
    cuts = statistics.quantiles(waited, n=100)
    return {"rate": rate, "p50": cuts[49], "p95": cuts[94], "p99": cuts[98]}


def main() -> None:
    """The sending process."""
    how, address, name = sys.argv[1:]
    wires = Path(name).read_text().split("\n")
    send = send_batches if how == "batches" else send_singles
    print(json.dumps(send(address, wires)))


if __name__ == "__main__":
    main()
