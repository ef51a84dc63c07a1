"""`python -m bench`: signed payments to durable blocks of a real node, beside libsodium's rate.

It prints one table, ratios first, and writes it as JSON; `--compare FILE` tells the ratios to an
earlier file. The figures that take long are those of `python -m bench.long`.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from bench import comparison, figures, governed, idle, in_process, singles, statements
from bench.comparison import ComparisonError
from bench.conditions import conditions
from bench.headline import Headline
from bench.node import running
from bench.stages import measure
from bench.workload import Workload

RESULTS = Path("build") / "bench.json"
SINGLES = 3_000
STAGED = 10_000
QUIET_ACCOUNTS = 1_000
WRONG_FILE = 66
LATENCY_SHARE = 2


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--transactions", type=int, default=20_000, help="payments a run")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--idle-s", type=float, default=idle.SECONDS, help="to watch an idle node")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="an earlier JSON file")
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"default: {RESULTS}")
    parser.add_argument(
        "--processes", type=int, help="the node's setting of this name; its default without"
    )
    return parser


def node_flags(processes: int | None) -> tuple[str, ...]:
    """Flags of `tongbao run` for a number of processes."""
    return () if processes is None else ("--processes", str(processes))


@contextmanager
def work_folder() -> Iterator[Path]:
    """A folder below `build/` that is removed at the end."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that nodes are ended too
    Path("build").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir="build"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def all_figures(chosen: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure everything that is short."""
    found: dict[str, Any] = conditions()
    found |= {name: getattr(chosen, name) for name in ("accounts", "transactions", "runs")}
    count: int = chosen.transactions
    print(f"opening {chosen.accounts:,} accounts", flush=True)
    workload = Workload(folder / "chain", chosen.accounts)
    found["rows"] = workload.producer.machine.row_count
    found["cpu_us_per_tx"] = measure(workload, min(count, STAGED))
    print("in process", flush=True)
    found |= in_process.measure(workload, count, chosen.runs)
    workload.lay_out()
    print("a node, and its sender in another process", flush=True)
    with running(folder / "chain", *node_flags(chosen.processes)) as node:
        found["processes"] = sorted(role for role, _ in node.roles())
        found |= Headline(node, workload, count, chosen.runs).measure()
        found |= statements.measure(node, workload, min(statements.MOVEMENTS, count))
        found |= singles.measure(node, workload, min(count, SINGLES))
    quiet = Workload(folder / "quiet", min(QUIET_ACCOUNTS, chosen.accounts))
    half = found["in_process_tx_per_s"] / LATENCY_SHARE
    found |= in_process.latencies(quiet, half, min(count, in_process.PACED))
    found |= governed.measure(
        *(folder, min(governed.ACCOUNTS, chosen.accounts)),
        *(min(governed.PAYMENTS, count), chosen.runs),
    )
    return found | idle.measure(folder / "idle", chosen.idle_s)


def told(found: dict[str, Any]) -> Iterator[str]:
    """The table; its last line says the figure."""
    yield (
        f"\n{found['cpu']}, {found['cores']} cores, load {found['load_before']:.1f} before; "
        f"Python {found['python']}, {found['build']}, Tongbao {found['version']}"
    )
    yield (
        f"accounts {found['accounts']:,}; rows {found['rows']:,}; {found['transactions']:,} "
        f"payments a run, {found['runs']} runs; {found['durability']}; "
        f"processes: {', '.join(found['processes'])}"
    )
    yield from figures.lines(found)
    for part, title in (
        ("cpu_us_per_tx", "stage, in one process"),
        ("cpu_us_per_tx_by_process", "process, under load"),
        ("hundred_cpu_us_by_process", "process, 100 payments in a transaction"),
    ):
        yield f"\n{title:{figures.WORDS}} {'us/payment':>14}"
        for name, us in found[part].items():
            yield f"{name:{figures.WORDS}} {us:14.1f}"
    yield f"\nreads: {found['reads_mix']}; p50 in ms:"
    kinds = found["reads_p50_ms_by_kind"].items()
    yield "  " + ", ".join(f"{name} {value:.1f}" for name, value in kinds)


def verdict(found: dict[str, Any]) -> str:
    """The line that sums up."""
    short = figures.missed(found)
    ending = f"; short of its goal: {'; '.join(short)}" if short else "; all goals reached"
    return (
        f"\nbench: {found['ratio_to_verify']:.3f} of L over HTTP: "
        f"{found['submit_durable_tx_per_s']:,.0f} payments/s where L is "
        f"{found['verify_per_s']:,.0f}/s{ending}"
    )


def save(found: dict[str, Any], path: Path) -> None:
    """Write figures as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")


def main(words: list[str] | None = None) -> int:
    """Measure, write, print, compare."""
    chosen = arguments().parse_args(words)
    try:
        before = comparison.earlier(chosen.compare) if chosen.compare else None
    except ComparisonError as error:
        print(f"bench: {error}", file=sys.stderr)
        return WRONG_FILE
    with work_folder() as folder:
        found = all_figures(chosen, folder)
    save(found, chosen.out)
    if before is not None:
        print("\n".join(comparison.lines(found, before)))
    print("\n".join(told(found)))
    print(verdict(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
