"""`python -m bench.peers`: what a user would pick instead, in turns with Tongbao, on these cores.

All of them run at the same time and are asked in turn, so that whatever else the machine does meets
all; ratios are of one turn, medians of all. A peer that isn't installed is named with how to get
it, and left out. The last run is written to `build/bench-peers.json`.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

from bench.__main__ import node_flags, save, work_folder
from bench.conditions import conditions
from bench.node import running
from bench.peers import immudb
from bench.peers.contender import Contender, MissingError, Run
from bench.peers.kvstore import kvstore
from bench.peers.ours import TOGETHER, Ours
from bench.peers.postgresql import postgresql
from bench.verify_rate import SECONDS, Beside
from bench.workload import Workload

RESULTS = Path("build") / "bench-peers.json"
TRIAL_SHARE = 5
MEDIAN = "median"


def peers(
    stack: ExitStack, folder: Path, chosen: argparse.Namespace, size: int
) -> tuple[list[Contender], list[str]]:
    """Those that are installed, started; and what is missing."""
    found: list[Contender] = []
    missing: list[str] = []
    trial = max(100, chosen.transactions // TRIAL_SHARE)
    ways: tuple[AbstractContextManager[Any], ...] = (
        postgresql(chosen.accounts, trial),
        kvstore(folder / "kvstore", size),
        immudb.immudb(size),
    )
    for way in ways:
        try:
            found += stack.enter_context(way)
        except MissingError as error:
            missing.append(str(error))
    return found, missing


def turns(contenders: list[Contender], chosen: argparse.Namespace) -> tuple[dict[str, Any], Beside]:
    """All of them, one after the other, again and again; the first turn warms up."""
    runs: dict[str, list[Run]] = {one.name: [] for one in contenders}
    beside = Beside(chosen.verify_s)
    for turn in range(chosen.runs + 1):
        for place, one in enumerate(contenders):
            run = one.run(chosen.transactions)
            if turn:
                runs[one.name].append(run)
            if turn and not place:
                beside.note(run.rate)
        if turn:
            each = ", ".join(f"{name} {made[-1].rate:,.0f}" for name, made in runs.items())
            print(f"  turn {turn}, payments/s: {each}", flush=True)
    return told_of(contenders, runs), beside


def told_of(contenders: list[Contender], runs: dict[str, list[Run]]) -> dict[str, Any]:
    """Rates, ratios of ours to each, and CPU: medians of all turns."""
    own = [run.rate for run in runs[contenders[0].name]]
    found = {}
    for one in contenders:
        rates = [run.rate for run in runs[one.name]]
        roles = runs[one.name][0].cpu_us
        found[one.name] = {
            "rate": statistics.median(rates),
            "rates": rates,
            "ours_of_it": statistics.median(a / b for a, b in zip(own, rates, strict=True)),
            "cpu_us": {
                role: statistics.median(run.cpu_us.get(role, 0.0) for run in runs[one.name])
                for role in roles
            },
            "conditions": one.conditions,
        }
    return found


def lines(found: dict[str, Any]) -> Iterator[str]:
    """The table."""
    yield (
        f"\n{found['cpu']}, {found['cores']} cores, load {found['load_before']:.1f} before; "
        f"Python {found['python']}, {found['build']}, Tongbao {found['version']}; "
        f"{found['accounts']:,} accounts; {found['transactions']:,} payments a turn, "
        f"{found['runs']} turns, medians; L {found['verify_per_s']:,.0f}/s"
    )
    yield f"\n{'':46}{'ours : it':>10}{'payments/s':>12}   us of CPU a payment"
    for name, one in found["contenders"].items():
        cpu = ", ".join(f"{role} {us:.0f}" for role, us in one["cpu_us"].items())
        yield f"{name:46}{one['ours_of_it']:10.2f}{one['rate']:12,.0f}   {cpu}"
    yield ""
    for name, one in found["contenders"].items():
        yield f"{name}: {one['conditions']}"
    for line in found["missing"]:
        yield f"left out: {line}"


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--transactions", type=int, default=30_000, help="payments a turn")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--verify-s", type=float, default=SECONDS, help="to measure L, each time")
    parser.add_argument("--processes", type=int, help="the node's setting; its default without")
    parser.add_argument("--build", action="store_true", help="build immudb first, if need be")
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"default: {RESULTS}")
    return parser


def main(words: list[str] | None = None) -> int:
    """Measure in turns, write and print; the last line sums up."""
    chosen = arguments().parse_args(words)
    why_not = []
    if chosen.build:
        try:
            immudb.build()
        except MissingError as error:
            why_not.append(str(error))
    found: dict[str, Any] = conditions()
    found |= {name: getattr(chosen, name) for name in ("accounts", "transactions", "runs")}
    with work_folder() as folder, ExitStack() as stack:
        workload = Workload(folder / "chain", chosen.accounts)
        size = len(workload.samples(1)[0])
        workload.lay_out()
        others, missing = peers(stack, folder.absolute(), chosen, size)
        node = stack.enter_context(running(folder / "chain", *node_flags(chosen.processes)))
        contenders = [Ours(node, workload), Ours(node, workload, TOGETHER), *others]
        found["contenders"], beside = turns(contenders, chosen)
    found["missing"] = [*why_not, *missing]
    found |= {"verify_per_s": beside.verify_per_s, "ratio_to_verify": beside.ratio}
    found["payment_bytes"] = size
    save(found, chosen.out)
    print("\n".join(lines(found)))
    ratios = {name: one["ours_of_it"] for name, one in found["contenders"].items()}
    behind = [one.name for one in others if ratios[one.name] < 1]
    print(
        f"\nbench-peers: {beside.ratio:.3f} of L; "
        + (f"behind {'; '.join(behind)}" if behind else "ahead of all")
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
