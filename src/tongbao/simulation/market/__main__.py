"""`python -m tongbao.simulation.market --seed N`: many short histories of the market for data."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable

from tongbao.simulation.market.campaign import FULL, REASONS, Part, run_campaign
from tongbao.simulation.market.counts import FAULTS, OUTCOMES, TRANSITIONS, shown
from tongbao.simulation.progress import progress_of


def arguments() -> argparse.Namespace:
    """The command's options."""
    parser = argparse.ArgumentParser(prog="python -m tongbao.simulation.market")
    parser.description = __doc__
    parser.add_argument("--seed", type=int, required=True, help="what all chance comes from")
    parser.add_argument("--histories", type=int, default=10_000, metavar="H", help="how many")
    parser.add_argument("--only", type=int, metavar="I", help="history I of the seed alone")
    parser.add_argument("--json", action="store_true", help="the counts as one JSON object")
    return parser.parse_args()


def tables(part: Part) -> Iterable[str]:
    """The counts as lines."""
    counts = part.counts
    for title, names, counted in (
        ("transition", tuple(map(shown, TRANSITIONS)), counts.transitions),
        ("outcome", OUTCOMES, counts.outcomes),
        ("fault", FAULTS, counts.faults),
    ):
        yield f"{title:64}{'reached':>10}"
        yield from (f"{name:64}{counted[name]:>10}" for name in names)
        yield ""
    yield f"{'refusal':64}{'reached':>10}"
    for number, name in REASONS.items():
        yield f"{f'{number} {name}':64}{part.tally.numbers[number]:>10}"
    yield ""


def as_json(part: Part, verdict: str, *, passed: bool) -> str:
    """The counts as one object."""
    return json.dumps(
        {
            "histories": part.histories,
            "blocks": part.tally.blocks,
            "transactions": part.tally.transactions,
            "transitions": part.counts.transitions,
            "outcomes": part.counts.outcomes,
            "faults": part.counts.faults,
            "refusals": {number: part.tally.numbers[number] for number in REASONS},
            "passed": passed,
            "verdict": verdict,
        }
    )


def judged(part: Part, seed: int) -> tuple[bool, str]:
    """Whether all is well, and the last line."""
    name = "data-histories"
    if part.failure is not None:
        return False, f"{name}: FAILED after {part.histories} histories: {part.failure.command}"
    missing = list(part.missing())
    if part.histories >= FULL and missing:
        return False, f"{name}: FAILED: never reached: {', '.join(missing)}"
    counted = f"{part.histories} histories, {part.tally.transactions} transactions"
    left = f"; {len(missing)} not reached" if missing else "; nothing left unreached"
    return True, f"{name}: passed: seed {seed}, {counted}, {part.tally.blocks} blocks{left}"


def main() -> int:
    """Play, print and judge; 1 when a history failed or something was never reached."""
    told = arguments()
    indexes = range(told.histories) if told.only is None else range(told.only, told.only + 1)
    part = run_campaign(told.seed, indexes, progress_of("histories"))
    if part.failure is not None:
        print(part.failure.text, file=sys.stderr)
    passed, verdict = judged(part, told.seed)
    if told.json:
        print(as_json(part, verdict, passed=passed))
    else:
        print("\n".join(tables(part)))
        print(verdict)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
