"""`python -m bench.profile`: where the CPU time of payments goes, by process, stage and function.

A real node under the load of `make bench` is sampled from outside by py-spy, or with `--within` by
itself (`sampling/`). Samples of a process share the CPU time that Linux has counted for it. The
table is printed and written to `build/profile.txt`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bench.__main__ import node_flags, work_folder
from bench.conditions import conditions
from bench.load import BATCH, Flood, flood
from bench.node import Node, running
from bench.sampling import sitecustomize
from bench.spying import Spies, SpyError
from bench.stage_table import ORDER, stage_of
from bench.workload import Workload

RESULTS = Path("build") / "profile.txt"
TOP = 25
TOGETHER_BATCH = 10
NO_RIGHT = 77
PATIENCE_S = 10.0
"""How long a process's word about the end of a load is waited for."""


Looked = tuple[Flood, "list[Profile]"]


class Profile(NamedTuple):
    """What processes of one role have done: their samples by stage, function, and what it calls."""

    role: str
    stages: Counter[str]
    within: Counter[str]
    under: Counter[str]

    def add(self, stacks: Mapping[str, int]) -> None:
        """Take samples in: stacks, the innermost function first, and how much each is worth."""
        for text, worth in stacks.items():
            stack = text.split(";")
            self.stages[stage_of(stack)] += worth
            self.within[stack[0]] += worth
            self.under.update(dict.fromkeys(stack, worth))


def inside(file: Path, begun: float, ended: float) -> Counter[str]:
    """What a process has written about itself between two moments of the monotonic clock.

    It writes now and then, the last of it after the end, which is waited for: a quick machine has
    done a small load before anything was written.
    """
    limit = time.monotonic() + PATIENCE_S
    while not (samples := samples_in(file)) or samples[-1]["at"] < ended:
        if time.monotonic() > limit:
            break
        time.sleep(sitecustomize.EVERY_S)
    found: Counter[str] = Counter()
    for sample in samples:
        if begun <= sample["at"]:
            found.update(sample["stacks"])
            if sample["at"] >= ended:
                break
    return found


def samples_in(file: Path) -> list[dict[str, Any]]:
    """The whole lines of a file that a process may be writing to."""
    if not file.exists():
        return []
    *lines, _ = file.read_text().split("\n")
    return [json.loads(line) for line in lines]


def by_role(node: Node, stacks: Mapping[int, Counter[str]]) -> list[Profile]:
    """One for each kind of process of a node, those of one kind together."""
    found: dict[str, Profile] = {}
    for role, pid in node.roles():
        one = found.setdefault(role, Profile(role, Counter(), Counter(), Counter()))
        one.add(stacks.get(pid, Counter()))
    return list(found.values())


def lines(found: list[Profile], load: Flood) -> Iterator[str]:
    """The table: stages by process, then each process's functions."""
    shown = [one for one in found if one.stages and load.cpu_us.get(one.role)]
    worth = {one.role: load.cpu_us[one.role] / sum(one.stages.values()) for one in shown}

    def row(name: str, each: list[float]) -> str:
        return f"{name:24}" + "".join(f"{value:12.1f}" for value in each) + f"{sum(each):9.1f}"

    yield (
        f"\n{'us of CPU a payment':24}" + "".join(f"{one.role:>12}" for one in shown) + "      all"
    )
    for stage in ORDER:
        yield row(stage, [one.stages[stage] * worth[one.role] for one in shown])
    yield row("all", [load.cpu_us[one.role] for one in shown])
    for one in shown:
        yield f"\n{one.role}: us a payment in the function itself, and with what it calls"
        for label, seen in one.within.most_common(TOP):
            alone, under = seen * worth[one.role], one.under[label] * worth[one.role]
            yield f"{alone:8.2f} {under:8.2f}  {label}"


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--transactions", type=int, default=60_000)
    parser.add_argument("--together", type=int, default=1, help="payments in a transaction")
    parser.add_argument("--processes", type=int, help="the node's setting; its default without")
    parser.add_argument(
        "--within", action="store_true", help="let processes sample themselves: needs no rights"
    )
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"default: {RESULTS}")
    return parser


def look(node: Node, samples: Path, wires: list[bytes], chosen: argparse.Namespace) -> Looked:
    """Load a node and sample it. Raises SpyError."""
    together: int = chosen.together
    batch = BATCH if together == 1 else TOGETHER_BATCH
    if chosen.within:
        begun = node.look().at
        load = flood(node, wires, together, batch)
        ended = node.look().at
        stacks = {pid: inside(samples / f"{pid}.jsonl", begun, ended) for _, pid in node.roles()}
    else:
        spies = Spies(samples, [pid for _, pid in node.roles()])
        load = flood(node, wires, together, batch)
        stacks = spies.end()
    return load, by_role(node, stacks)


def variables(samples: Path) -> dict[str, str]:
    """What makes the processes of a node sample themselves."""
    path = (str(Path(sitecustomize.__file__).parent), os.environ.get("PYTHONPATH", ""))
    return {
        sitecustomize.VARIABLE: str(samples),
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
    }


def main(words: list[str] | None = None) -> int:
    """Load a node, and tell where its time went."""
    chosen = arguments().parse_args(words)
    count, together = chosen.transactions // chosen.together, chosen.together
    with work_folder() as folder:
        workload = Workload(folder / "chain", chosen.accounts)
        workload.lay_out()
        samples = (folder / "samples").absolute()
        samples.mkdir()
        flags, more = node_flags(chosen.processes), variables(samples) if chosen.within else {}
        with running(folder / "chain", *flags, variables=more) as node:
            flood(node, workload.payments(max(1, count // 10), together), together, TOGETHER_BATCH)
            try:
                load, found = look(node, samples, workload.payments(count, together), chosen)
            except SpyError as error:
                print(f"profile: {error}", file=sys.stderr)
                return NO_RIGHT
    where = conditions()
    how = "within (calls of C code that let go are overrated)" if chosen.within else "by py-spy"
    text = "\n".join(
        (
            f"{where['cpu']}, {where['cores']} cores, Python {where['python']}, {where['build']}; "
            f"{chosen.accounts:,} accounts, {load.payments:,} payments, {together} in a "
            f"transaction, at {load.rate:,.0f}/s while sampled {how}",
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
