"""Run every check that reads the code without running it, two at a time, and say which failed.

`python -m tools.check` runs all; `python -m tools.check types lint` runs those two.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PROGRAMS = Path(sys.executable).parent
TYPED = ("src", "tests", "tools", "bench", "examples/python")
WORKERS = 2


class Check(NamedTuple):
    """One check: its name, and the program with arguments that exits with 0 when all is well."""

    name: str
    command: tuple[str, ...]


class Outcome(NamedTuple):
    """How a check ended, after how many seconds, and what it printed."""

    name: str
    passed: bool
    seconds: float
    output: str


def module(name: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a module of this environment."""
    return (sys.executable, "-m", name, *arguments)


def checks() -> tuple[Check, ...]:
    """Every check, the slowest first."""
    typed = [folder for folder in TYPED if (ROOT / folder).is_dir()]
    return (
        Check("types", module("mypy", *typed)),
        Check("imports", (str(PROGRAMS / "lint-imports"), "--no-logo")),
        Check("format", module("ruff", "format", "--check", ".")),
        Check("lint", module("ruff", "check", "--output-format", "concise", ".")),
        Check("house rules", module("tools.house_rules")),
        Check("reference", module("tools.reference", "--check")),
        Check("spelling", module("codespell_lib")),
    )


def run(check: Check) -> Outcome:
    """Run one check to its end."""
    start = time.perf_counter()
    ended = subprocess.run(
        check.command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - start
    return Outcome(check.name, ended.returncode == 0, seconds, ended.stdout)


def report(outcomes: Sequence[Outcome], seconds: float) -> str:
    """What each failed check printed, one line for each check, and the verdict last."""
    failed = [outcome for outcome in outcomes if not outcome.passed]
    details = [f"--- {outcome.name} ---\n{outcome.output.rstrip()}\n" for outcome in failed]
    table = [
        f"{outcome.name:12} {'passed' if outcome.passed else 'FAILED'} {outcome.seconds:6.1f} s"
        for outcome in outcomes
    ]
    count = len(outcomes)
    verdict = (
        f"check: FAILED: {', '.join(outcome.name for outcome in failed)}"
        if failed
        else f"check: {count} of {count} passed in {seconds:.0f} s"
    )
    return "\n".join((*details, *table, verdict))


def main(names: Sequence[str]) -> int:
    """Run the named checks, or all; 1 when one failed, 2 when a name is not a check's."""
    chosen = [check for check in checks() if not names or check.name in names]
    unknown = set(names) - {check.name for check in chosen}
    if unknown:
        known = ", ".join(check.name for check in checks())
        print(f"check: FAILED: no check is named {', '.join(sorted(unknown))}; there are {known}")
        return 2
    start = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        outcomes = list(pool.map(run, chosen))
    print(report(outcomes, time.perf_counter() - start))
    return 0 if all(outcome.passed for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
