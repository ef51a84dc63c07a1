"""`python -m bench`: signed payments to durable blocks, beside this machine's signature rate."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import tempfile
from functools import partial
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Any

import msgspec

from bench import idle, over_http
from bench.stages import measure
from bench.verify_rate import all_cores
from bench.workload import Workload
from tongbao import __version__
from tongbao.engines.solo import Options
from tongbao.sdk.client import Applied

RESULTS = Path("build") / "bench.json"
WARM_UP = 1_000
SINGLES = 3_000
OVER_HTTP = (
    ("http_batch_tx_per_s", "over HTTP, batches of 500", "/s"),
    ("http_single_tx_per_s", "over HTTP, one a request", "/s"),
    ("http_single_p50_ms", "one a request, p50 at half load", "ms"),
    ("http_single_p95_ms", "one a request, p95 at half load", "ms"),
    ("http_single_p99_ms", "one a request, p99 at half load", "ms"),
    ("websocket_events_per_s", "events over one WebSocket", "/s"),
    ("idle_cpu_percent", "idle node, CPU of one core", "%"),
    ("idle_rss_mb", "idle node, resident memory", "MB"),
)
"""Figures of a node: their names in the file, words for people, units."""


def cpu_name() -> str:
    """The processor's name as Linux tells it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def end_to_end(workload: Workload, count: int, runs: int) -> list[float]:
    """Transactions a second from `submit_many` to the last durable answer, of each run."""
    rates = []
    chain = workload.chain(Options())
    for run in range(runs + 1):
        wires = workload.payments(count)
        begun = perf_counter()
        answers = chain.submit_many(wires)
        seconds = perf_counter() - begun
        assert all(isinstance(answer, Applied) for answer in answers)
        if run:  # the first one warms up
            rates.append(count / seconds)
            print(f"  run {run}: {rates[-1]:,.0f} payments/s")
    chain.close()
    return rates


def latencies(workload: Workload, chain_rate: float) -> dict[str, float]:
    """Milliseconds from the intended send time to the durable answer, at half the rate."""
    chain = workload.chain(Options())
    wires = workload.payments(WARM_UP + 10_000)
    pause = 2 / chain_rate
    done: list[float] = []
    futures = []
    never = Event()  # waiting for it leaves the processor to the chain

    def note(due: float, _: object) -> None:
        done.append((perf_counter() - due) * 1000)

    chain.submit_many(wires[:WARM_UP])  # starts the signature checker
    begun = perf_counter()
    for at, wire in enumerate(wires[WARM_UP:]):
        due = begun + at * pause
        if (ahead := due - perf_counter()) > 0:
            never.wait(ahead)
        future = chain.send(wire)
        future.add_done_callback(partial(note, due))
        futures.append(future)
    for future in futures:
        future.result()
    chain.close()
    cuts = statistics.quantiles(done, n=100)
    return {"p50_ms": cuts[49], "p95_ms": cuts[94], "p99_ms": cuts[98]}


def report(found: dict[str, Any]) -> None:
    """Print the table; the last line is the figure."""
    print(f"\n{found['cpu']}, {found['cores']} cores, Python {found['python']}, {found['build']}")
    print(
        f"accounts {found['accounts']:,}; rows {found['rows']:,}; "
        f"{found['transactions']:,} payments "
        f"a run, {found['runs']} runs; each answer after fdatasync of its block"
    )
    print(f"\n{'stage':38} us/transaction")
    for name, value in found["cpu_us_per_tx"].items():
        print(f"{name:38} {value:8.1f}")
    print(f"\n{'libsodium, all cores, same run (L)':38} {found['verify_per_s']:10,.0f} /s")
    print(f"{'signed payment to durable block':38} {found['submit_durable_tx_per_s']:10,.0f} /s")
    for name in ("p50_ms", "p95_ms", "p99_ms"):
        print(f"{name + ' at half load':38} {found[name]:10.1f}")
    for name, words, unit in OVER_HTTP:
        print(f"{words:38} {found[name]:10,.1f} {unit}".rstrip())
    print(
        f"\n{found['ratio_to_verify']:.3f} of L in process, {found['http_ratio_to_verify']:.3f} "
        f"over HTTP: {found['submit_durable_tx_per_s']:,.0f} and "
        f"{found['http_batch_tx_per_s']:,.0f} payments/s where L is {found['verify_per_s']:,.0f}/s"
    )


def main() -> None:
    """Measure and write `build/bench.json`."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--transactions", type=int, default=20_000, help="payments a run")
    parser.add_argument("--runs", type=int, default=5)
    chosen = parser.parse_args()
    RESULTS.parent.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=RESULTS.parent))
    try:
        print(f"opening {chosen.accounts:,} accounts")
        workload = Workload(folder, chosen.accounts)
        stages = measure(workload, min(chosen.transactions, 10_000))
        before = all_cores()
        rates = end_to_end(workload, chosen.transactions, chosen.runs)
        between = all_cores()
        http = over_http.measure(workload, chosen.transactions, min(chosen.transactions, SINGLES))
        after = all_cores()
        verify = (before + between) / 2
        rate = statistics.median(rates)
        quick = Workload(folder / "latency", 1_000)
        found = {
            "version": __version__,
            "cpu": cpu_name(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "build": "pure Python",
            "durability": "fdatasync of the block log before each answer",
            "accounts": chosen.accounts,
            "rows": workload.producer.machine.row_count,
            "transactions": chosen.transactions,
            "runs": chosen.runs,
            "rates": rates,
            "cpu_us_per_tx": stages,
            "verify_per_s": verify,
            "submit_durable_tx_per_s": rate,
            "ratio_to_verify": rate / verify,
            **latencies(quick, rate),
            **http,
            "http_ratio_to_verify": http["http_batch_tx_per_s"] / ((between + after) / 2),
            **idle.measure(folder / "idle"),
        }
        RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
        report(found)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
