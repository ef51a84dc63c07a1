"""Signed payments to durable blocks inside one process, as a program has it that embeds a chain."""

from __future__ import annotations

import statistics
from functools import partial
from threading import Event
from time import perf_counter

from bench.load import cuts
from bench.verify_rate import Beside
from bench.workload import Workload
from tongbao.engines.solo import Options
from tongbao.sdk.client import Applied

WARM_UP = 1_000
PACED = 10_000


def measure(workload: Workload, count: int, runs: int) -> dict[str, float]:
    """Rates and latency of an open workload, which is closed after that."""
    chain = workload.chain(Options())
    beside = Beside()
    rates: list[float] = []
    with chain:
        for run in range(runs + 1):
            wires = workload.payments(count)
            begun = perf_counter()
            answers = chain.submit_many(wires)
            rate = count / (perf_counter() - begun)
            assert all(isinstance(answer, Applied) for answer in answers)
            if run:  # the first one warms up
                rates.append(rate)
                beside.note(rate)
    return {
        "in_process_tx_per_s": statistics.median(rates),
        "in_process_ratio_to_verify": beside.ratio,
    }


def latencies(workload: Workload, rate: float, count: int = PACED) -> dict[str, float]:
    """Milliseconds from the intended send time to the durable answer, at so many a second."""
    wires = workload.payments(WARM_UP + count)
    done: list[float] = []
    futures = []
    never = Event()  # waiting for it leaves the processor to the chain

    def note(due: float, _: object) -> None:
        done.append((perf_counter() - due) * 1_000)

    with workload.chain(Options()) as chain:
        chain.submit_many(wires[:WARM_UP])  # starts the signature checker
        begun = perf_counter()
        for at, wire in enumerate(wires[WARM_UP:]):
            due = begun + at / rate
            if (ahead := due - perf_counter()) > 0:
                never.wait(ahead)
            future = chain.send(wire)
            future.add_done_callback(partial(note, due))
            futures.append(future)
        for future in futures:
            future.result()
    return {f"in_process_{name}": value for name, value in cuts(done).items()}
