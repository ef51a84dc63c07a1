"""`python -m bench.snapshots`: seconds for a snapshot under load, and what blocks lose meanwhile.

A chain in this process takes payments at a steady rate, first alone, then while another process,
which is nice to it, takes a snapshot of the same folder.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from threading import Event
from time import perf_counter

from bench.custody import Custody
from tongbao.engines.solo import Options, SoloEngine
from tongbao.sdk.client import Applied
from tongbao.sdk.local import Chain

PAYMENTS_PER_S = 1_000
BATCH = 50
ALONE_S = 20
LONGEST_S = 120
COMMAND = ("nice", "-n", "15", sys.executable, "-m", "tongbao.cli.main", "snapshot", "take")


def rates(
    chain: Chain, batches: Iterator[list[bytes]], goes_on: Callable[[float], bool]
) -> tuple[float, float, float]:
    """Seconds, blocks a second and payments a second while it goes on."""
    never = Event()  # waiting for it leaves the processor to the chain
    height, sent = chain.head().height, 0
    begun = perf_counter()
    while goes_on(perf_counter() - begun):
        answers = chain.submit_many(next(batches))
        assert all(isinstance(answer, Applied) for answer in answers)
        sent += BATCH
        ahead = begun + sent / PAYMENTS_PER_S - perf_counter()
        if ahead > 0:
            never.wait(ahead)
    seconds = perf_counter() - begun
    return seconds, (chain.head().height - height) / seconds, sent / seconds


def main() -> None:
    """Build the chain, measure, print; the last line is the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    accounts: int = parser.parse_args().accounts
    with tempfile.TemporaryDirectory() as place:
        custody = Custody(Path(place) / "chain")
        begun = perf_counter()
        custody.build(accounts)
        print(f"{accounts:,} accounts made in {perf_counter() - begun:.0f} s", flush=True)
        producer = custody.open()
        engine = SoloEngine(producer, Options())
        engine.start()
        wires = custody.payments((ALONE_S + LONGEST_S) * PAYMENTS_PER_S)
        batches = (wires[at : at + BATCH] for at in range(0, len(wires), BATCH))
        target = ("--folder", str(custody.folder.path), "--to", f"{place}/snapshot")
        with Chain(engine, producer.store, custody.folder.genesis()) as chain:
            _, alone, paid = rates(chain, batches, lambda seconds: seconds < ALONE_S)
            print(f"alone: {alone:.1f} blocks/s, {paid:,.0f} payments/s", flush=True)
            before = getrusage(RUSAGE_CHILDREN).ru_utime
            with subprocess.Popen([*COMMAND, *target]) as taking:
                seconds, beside, paid = rates(chain, batches, lambda _: taking.poll() is None)
            assert taking.returncode == 0
            cpu = getrusage(RUSAGE_CHILDREN).ru_utime - before
            print(f"beside: {beside:.1f} blocks/s, {paid:,.0f} payments/s")
    loss = 100 * (1 - beside / alone)
    print(
        f"snapshot of {accounts:,} accounts: {seconds:.1f} s, of which {cpu:.1f} s CPU, "
        f"{loss:.1f} % of block rate lost"
    )


if __name__ == "__main__":
    main()
