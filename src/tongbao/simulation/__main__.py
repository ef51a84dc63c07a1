"""`python -m tongbao.simulation --seed N`: play random histories and doubt every answer."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable

from tongbao.kernel.schema import wire_name_of
from tongbao.simulation.campaign import Report, run_campaign
from tongbao.simulation.playing import REGISTRY
from tongbao.simulation.progress import progress_of


def arguments() -> argparse.Namespace:
    """The command's options."""
    parser = argparse.ArgumentParser(prog="python -m tongbao.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, required=True, help="what all chance comes from")
    parser.add_argument("--histories", type=int, default=200, metavar="H", help="how many")
    parser.add_argument("--transactions", type=int, default=500, metavar="T", help="in each")
    parser.add_argument("--only", type=int, metavar="I", help="history I of the seed alone")
    parser.add_argument("--json", action="store_true", help="the counts as one JSON object")
    return parser.parse_args()


def tables(report: Report) -> Iterable[str]:
    """The counts as lines."""
    tally = report.tally
    yield f"{'message':26}{'applied':>10}{'refused':>10}"
    for name in map(wire_name_of, REGISTRY.messages):
        yield f"{name:26}{tally.applied[name]:>10}{tally.refused[name]:>10}"
    yield ""
    yield f"{'number':>9}  {'reason':38}{'transactions':>14}{'due items':>12}"
    for number, reason in sorted(REGISTRY.reasons.items()):
        name = f"{type(reason).module_name}.{reason.name}"
        yield f"{number:>9}  {name:38}{tally.numbers[number]:>14}{tally.stuck[number]:>12}"
    yield ""
    yield f"{'due items done':26}{tally.due['done']:>10}"
    yield f"{'due items that lingered':26}{tally.stuck[0]:>10}"
    for name, count in sorted(tally.outcomes.items()):
        yield f"{name:26}{count:>10}"
    yield ""


def as_json(report: Report) -> str:
    """The counts as one object."""
    tally = report.tally
    return json.dumps(
        {
            "seed": report.seed,
            "histories": report.played,
            "blocks": tally.blocks,
            "transactions": tally.transactions,
            "outcomes": tally.outcomes,
            "messages": {
                name: {"applied": tally.applied[name], "refused": tally.refused[name]}
                for name in map(wire_name_of, REGISTRY.messages)
            },
            "numbers": {number: tally.numbers[number] for number in sorted(REGISTRY.reasons)},
            "due": tally.due,
            "stuck": tally.stuck,
            "unreached": report.unreached,
            "failures": [failure.command for failure in report.failures],
            "passed": report.is_good,
        }
    )


def main() -> int:
    """Play, print and judge; 1 when a history failed or something was never reached."""
    told = arguments()
    indexes = range(told.histories) if told.only is None else range(told.only, told.only + 1)
    report = run_campaign(told.seed, indexes, told.transactions, progress_of("histories"))
    for failure in report.failures:
        print(f"{failure.text}\nto see it again: {failure.command}", file=sys.stderr)
    if told.json:
        print(as_json(report))
    else:
        print("\n".join(tables(report)))
        print(report.verdict())
    return 0 if report.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
