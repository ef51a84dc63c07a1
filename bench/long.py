"""`python -m bench.long`: a million accounts, a million transactions in a row, every basket.

Each part has a name; `--only million_in_a_row` measures that one. All goes into
`build/bench-long.json`.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec

from bench import comparison, figures
from bench.__main__ import WRONG_FILE, node_flags, save, work_folder
from bench.comparison import ComparisonError
from bench.conditions import conditions
from bench.custody import Custody
from bench.load import Flood, flood
from bench.node import Node, core_of, running
from bench.verify_rate import SECONDS, Beside
from bench.workload import Workload

RESULTS = Path("build") / "bench-long.json"
FEW = 100_000
"""Accounts that others are compared with."""
PARTS_OF_ROW = 10
LONGEST_S = 3_600
FLOOD = 20_000
FIRST_WARM = 1
BASKETS_FOLDER = "purchases"

Chosen = argparse.Namespace


def million_accounts(chosen: Chosen, folder: Path) -> dict[str, Any]:
    """The rate with many accounts beside that with few, in turns; both nodes run all the time."""
    many, few = Custody(folder / "many"), Custody(folder / "few")
    for custody, count in ((many, chosen.accounts), (few, min(FEW, chosen.accounts))):
        begun = perf_counter()
        custody.build(count)
        print(f"  {count:,} accounts made in {perf_counter() - begun:.0f} s", flush=True)
    floods: dict[str, list[Flood]] = {"many": [], "few": []}
    flags = node_flags(chosen.processes)
    with running(folder / "many", *flags) as first, running(folder / "few", *flags) as second:
        contenders = (("many", first, many), ("few", second, few))
        beside = Beside(chosen.verify_s)
        for run in range(chosen.runs + FIRST_WARM):
            for name, node, custody in contenders:
                found = flood(node, custody.payments(chosen.flood))
                if run >= FIRST_WARM:
                    floods[name].append(found)
                    print(f"  {name}: {found.rate:,.0f} payments/s", flush=True)
                if run >= FIRST_WARM and name == "many":
                    beside.note(found.rate)
        memory = core_of(first.rss_mb())
        rows = rows_of(first)
    rates = {name: [one.rate for one in each] for name, each in floods.items()}
    ratios = [one / other for one, other in zip(rates["many"], rates["few"], strict=True)]
    return {
        "million_accounts": chosen.accounts,
        "million_accounts_rows": rows,
        "million_accounts_ratio": statistics.median(ratios),
        "million_tx_per_s": statistics.median(rates["many"]),
        "million_ratio_to_verify": beside.ratio,
        "million_rss_mb": memory,
    }


def rows_of(node: Node) -> int:
    """How many rows the state has."""
    found = msgspec.json.decode(node.get("/v1"))
    return int(found["rows"])


def million_in_a_row(chosen: Chosen, folder: Path) -> dict[str, Any]:
    """Many transactions one part after the other: the last part's rate beside the first's.

    A part is signed while the node rests and its index catches up, then sent as fast as it goes.
    """
    workload = Workload(folder / "row", min(FEW, chosen.accounts))
    workload.lay_out()
    beside = Beside(chosen.verify_s)
    parts: list[Flood] = []
    ratios: list[float] = []
    with running(folder / "row", *node_flags(chosen.processes)) as node:
        flood(node, workload.payments(min(FLOOD, chosen.in_a_row)))  # warms up
        for _ in range(chosen.parts):
            wires = workload.payments(chosen.in_a_row // chosen.parts)
            parts.append(flood(node, wires))
            ratios.append(beside.note(parts[-1].rate))
            memory = core_of(node.rss_mb())
            print(
                f"  {parts[-1].rate:,.0f} payments/s ({ratios[-1]:.3f} L), core {memory:,.0f} MB",
                flush=True,
            )
    return {
        "long_transactions": sum(part.payments for part in parts),
        "long_rates": [part.rate for part in parts],
        "long_ratios_to_verify": ratios,
        "long_cpu_us": [_cpu_us(part) for part in parts],
        "long_first_tx_per_s": parts[0].rate,
        "long_last_tx_per_s": parts[-1].rate,
        "long_slower_percent": 100 * (1 - parts[-1].rate / parts[0].rate),
        "long_slower_of_l_percent": 100 * (1 - ratios[-1] / ratios[0]),
        "long_more_cpu_percent": 100 * (_cpu_us(parts[-1]) / _cpu_us(parts[0]) - 1),
        "long_index_lag_s": max(part.index_lag_s for part in parts),
        "long_rss_mb": memory,
    }


def _cpu_us(part: Flood) -> float:
    """Microseconds of CPU a payment, of all processes."""
    return sum(part.cpu_us.values())


def purchases(chosen: Chosen, folder: Path) -> dict[str, Any]:
    """Seconds of `tongbao demo purchases --all`: signed, submitted, settled, proven, compared."""
    which = ("--all",) if chosen.baskets is None else ("--count", str(chosen.baskets))
    command = [sys.executable, "-m", "tongbao.cli.main", "demo", "purchases", *which]
    place = folder / BASKETS_FOLDER
    begun = perf_counter()
    ended = subprocess.run(
        [*command, "--json", "--port", "0", "--folder", str(place)],
        stdout=subprocess.PIPE,
        timeout=LONGEST_S,
        check=True,
    )
    seconds = perf_counter() - begun
    report = msgspec.json.decode(ended.stdout)
    assert not report["differences"], report
    return {"purchases": report["payments"], "purchases_s": seconds}


PARTS: dict[str, Callable[[Chosen, Path], dict[str, Any]]] = {
    "purchases": purchases,
    "million_accounts": million_accounts,
    "million_in_a_row": million_in_a_row,
}


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.long", description=__doc__)
    parser.add_argument("--only", choices=tuple(PARTS), action="append", help="may be repeated")
    parser.add_argument("--accounts", type=int, default=1_000_000)
    parser.add_argument("--flood", type=int, default=FLOOD, help="payments a run")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--in-a-row", type=int, default=1_000_000)
    parser.add_argument("--parts", type=int, default=PARTS_OF_ROW, help="of those in a row")
    parser.add_argument("--verify-s", type=float, default=SECONDS, help="to measure L, each time")
    parser.add_argument("--baskets", type=int, help="fewer than all")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="an earlier JSON file")
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"default: {RESULTS}")
    parser.add_argument("--processes", type=int, help="the node's setting; its default without")
    return parser


def told(found: dict[str, Any]) -> Iterator[str]:
    """The table."""
    yield (
        f"\n{found['cpu']}, {found['cores']} cores, load {found['load_before']:.1f} before; "
        f"Python {found['python']}, {found['build']}, Tongbao {found['version']}; "
        f"{found['durability']}"
    )
    yield from figures.lines(found)


def main(words: list[str] | None = None) -> int:
    """Measure the parts that were chosen, write, print, compare."""
    chosen = arguments().parse_args(words)
    try:
        before = comparison.earlier(chosen.compare) if chosen.compare else None
    except ComparisonError as error:
        print(f"bench-long: {error}", file=sys.stderr)
        return WRONG_FILE
    found: dict[str, Any] = conditions()
    for name in chosen.only or PARTS:
        print(name, flush=True)
        with work_folder() as folder:
            found |= PARTS[name](chosen, folder)
        save(found, chosen.out)  # what has been measured is kept, whatever happens to the rest
    if before is not None:
        print("\n".join(comparison.lines(found, before)))
    print("\n".join(told(found)))
    short = figures.missed(found)
    print(f"\nbench-long: {'short of its goal: ' + '; '.join(short) if short else 'goals reached'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
