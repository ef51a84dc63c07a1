"""`python -m bench.recovery`: how long a chain takes to be back after a crash, and out of its log.

A process that takes payments is killed with signal 9; another one starts on the same folder, and
is ready when it could make a block: pages and rows read, the root compared with the last header.
Then the rows are removed, and made again from the log.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import IO

from bench.custody import Custody
from tongbao.engines.solo import SoloEngine
from tongbao.sdk.local import Chain

RESULTS = Path("build") / "bench-recovery.json"
RUNS = 3
PAYMENTS = 6_000
BEFORE_KILL = 3_000
MEGABYTE = 1e6


def take_payments(folder: Path, file: Path) -> None:
    """In another process: send payments until killed, and say when enough are durable."""
    custody = Custody(folder)
    producer = custody.open()
    engine = SoloEngine(producer)
    engine.start()
    chain = Chain(engine, producer.store, custody.folder.genesis())
    tickets = [chain.queue(wire) for wire in file.read_bytes().split(b"\n")]
    for at, ticket in enumerate(tickets):
        ticket.result()
        if at == BEFORE_KILL:
            print("killable", flush=True)


def be_ready(folder: Path) -> None:
    """In another process: open the chain and say how many rows it has."""
    producer = Custody(folder).open()
    print(json.dumps({"rows": producer.machine.row_count, "height": producer.machine.height}))
    sys.stdout.flush()
    producer.store.close()


@contextmanager
def elsewhere(*arguments: str) -> Iterator[IO[str]]:
    """What another process of this program says."""
    command = [sys.executable, "-m", "bench.recovery", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout
        process.kill()


def crash(custody: Custody, folder: Path) -> None:
    """Kill a process that takes payments."""
    with tempfile.NamedTemporaryFile("wb", suffix=".jws") as file:
        file.write(b"\n".join(custody.payments(PAYMENTS)))
        file.flush()
        with elsewhere("--take", file.name, "--folder", str(folder)) as said:
            assert said.readline() == "killable\n"


def start(folder: Path) -> tuple[float, int]:
    """Seconds from the start of a process to a chain that could make a block; its rows."""
    begun = perf_counter()
    with elsewhere("--be-ready", "--folder", str(folder)) as said:
        found = json.loads(said.readline())
        return perf_counter() - begun, found["rows"]


def measure(folder: Path, accounts: int) -> dict[str, float]:
    """All figures, on a chain that is made in a folder."""
    begun = perf_counter()
    custody = Custody(folder)
    custody.build(accounts)
    print(f"{accounts:,} accounts opened and funded in {perf_counter() - begun:.0f} s")
    starts, rows = [], 0
    for _ in range(RUNS):
        crash(custody, folder)
        # Nonces that the killed process has not used are within the window.
        seconds, rows = start(folder)
        starts.append(seconds)
        print(f"  ready {seconds:.2f} s after a crash")
    log_bytes = sum(path.stat().st_size for path in (folder / "log").iterdir())
    shutil.rmtree(folder / "state")
    rebuild, _ = start(folder)
    return {
        "accounts": accounts,
        "rows": rows,
        "log_mb": log_bytes / MEGABYTE,
        "start_after_crash_s": statistics.median(starts),
        "rebuild_s": rebuild,
        "rebuild_rows_per_s": rows / rebuild,
        "rebuild_log_mb_per_s": log_bytes / MEGABYTE / rebuild,
    }


def main() -> None:
    """Measure, or be one of the other processes."""
    parser = argparse.ArgumentParser(prog="python -m bench.recovery", description=__doc__)
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--take", metavar="FILE", help=argparse.SUPPRESS)
    parser.add_argument("--be-ready", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.take:
        take_payments(told.folder, Path(told.take))
        return
    if told.be_ready:
        be_ready(told.folder)
        return
    RESULTS.parent.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=RESULTS.parent))
    try:
        found = measure(folder / "chain", told.accounts)
    finally:
        shutil.rmtree(folder)
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")
    print(
        f"ready {found['start_after_crash_s']:.1f} s after a crash with {found['rows']:,} rows; "
        f"rows out of the log in {found['rebuild_s']:.1f} s, {found['rebuild_rows_per_s']:,.0f}/s"
    )


if __name__ == "__main__":
    main()
