"""`python -m bench.profile`: where the CPU time of payments goes, by process, stage and function.

A real node under the load of `make bench`, sampled from within (`sampling/`); the table is printed
and written to `build/profile.txt`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bench.__main__ import node_flags, work_folder
from bench.conditions import conditions
from bench.load import Flood, flood
from bench.node import Node, running
from bench.sampling import sitecustomize
from bench.stage_table import ORDER, stage_of
from bench.workload import Workload

RESULTS = Path("build") / "profile.txt"
TOP = 25
NS_PER_US = 1_000
LEAST_NS = 1_000_000
TOGETHER_BATCH = 10


class Profile(NamedTuple):
    """What one process has done: nanoseconds by stage, and by function within and under it."""

    role: str
    stages: Counter[str]
    within: Counter[str]
    under: Counter[str]

    def with_another(self, other: Profile) -> Profile:
        """Both processes together."""
        stages, within = self.stages + other.stages, self.within + other.within
        return Profile(self.role, stages, within, self.under + other.under)


def profile_of(role: str, file: Path, begun: float, ended: float) -> Profile:
    """A process's samples between two moments of the monotonic clock."""
    found = Profile(role, Counter(), Counter(), Counter())
    for line in file.read_text().splitlines():
        sample = json.loads(line)
        if not begun <= sample["at"] <= ended:
            continue
        for text, used in sample["stacks"].items():
            stack = text.split(";")
            found.stages[stage_of(stack)] += used
            found.within[stack[0]] += used
            found.under.update(dict.fromkeys(stack, used))
    return found


def profiles(node: Node, samples: Path, begun: float, ended: float) -> list[Profile]:
    """One for each kind of process of a node, those of one kind together."""
    found: dict[str, Profile] = {}
    for role, pid in node.roles():
        file = samples / f"{pid}.jsonl"
        if not file.exists():
            continue
        one = profile_of(role, file, begun, ended)
        before = found.get(role)
        found[role] = one if before is None else before.with_another(one)
    return list(found.values())


def lines(found: list[Profile], load: Flood) -> Iterator[str]:
    """The table: stages by process, then each process's functions."""
    shown = [one for one in found if sum(one.stages.values()) >= LEAST_NS]

    def us(used: float) -> float:
        return used / NS_PER_US / load.payments

    def row(name: str, each: list[float]) -> str:
        return f"{name:24}" + "".join(f"{value:12.1f}" for value in each) + f"{sum(each):9.1f}"

    yield (
        f"\n{'us of CPU a payment':24}" + "".join(f"{one.role:>12}" for one in shown) + "      all"
    )
    for stage in ORDER:
        yield row(stage, [us(one.stages[stage]) for one in shown])
    yield row("sum of samples", [us(sum(one.stages.values())) for one in shown])
    yield row("counted by Linux", [load.cpu_us.get(one.role, 0.0) for one in shown])
    for one in shown:
        yield f"\n{one.role}: us a payment in the function itself, and with what it calls"
        for label, used in one.within.most_common(TOP):
            yield f"{us(used):8.2f} {us(one.under[label]):8.2f}  {label}"


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--transactions", type=int, default=60_000)
    parser.add_argument("--together", type=int, default=1, help="payments in a transaction")
    parser.add_argument("--processes", type=int, help="the node's setting; its default without")
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"default: {RESULTS}")
    return parser


def main(words: list[str] | None = None) -> int:
    """Load a node, and tell where its time went."""
    chosen = arguments().parse_args(words)
    with work_folder() as folder:
        workload = Workload(folder / "chain", chosen.accounts)
        workload.lay_out()
        samples = (folder / "samples").absolute()
        samples.mkdir()
        path = (str(Path(sitecustomize.__file__).parent), os.environ.get("PYTHONPATH", ""))
        variables = {
            sitecustomize.VARIABLE: str(samples),
            "PYTHONPATH": os.pathsep.join(filter(None, path)),
        }
        flags = node_flags(chosen.processes)
        with running(folder / "chain", *flags, variables=variables) as node:
            count, together = chosen.transactions // chosen.together, chosen.together
            batch = 500 if together == 1 else TOGETHER_BATCH
            flood(node, workload.payments(max(1, count // 10), together), together, batch)
            begun = node.look().at
            load = flood(node, workload.payments(count, together), together, batch)
            ended = node.look().at + sitecustomize.WRITE_S
            found = profiles(node, samples, begun, ended)
    where = conditions()
    text = "\n".join(
        (
            f"{where['cpu']}, {where['cores']} cores, Python {where['python']}, {where['build']}; "
            f"{chosen.accounts:,} accounts, {load.payments:,} payments, {together} in a "
            f"transaction, at {load.rate:,.0f}/s while sampled",
            *lines(found, load),
        )
    )
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(text + "\n")
    print(text)
    print(f"\nprofile: written to {chosen.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
