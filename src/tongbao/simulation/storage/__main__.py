"""`python -m tongbao.simulation.storage --seeds N`: sail through storms, and doubt the store."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable

from tongbao.simulation.progress import progress_of
from tongbao.simulation.storage.campaign import COLUMNS, Report, run_campaign
from tongbao.simulation.storage.mutations import MUTATIONS
from tongbao.store.sites import Site


def arguments() -> argparse.Namespace:
    """The command's options."""
    parser = argparse.ArgumentParser(prog="python -m tongbao.simulation.storage")
    parser.description = __doc__
    parser.add_argument("--seeds", type=int, default=1_000, metavar="N", help="how many")
    parser.add_argument("--first", type=int, default=0, metavar="S", help="the first of them")
    parser.add_argument("--only", type=int, metavar="S", help="one seed alone")
    parser.add_argument("--mutation", choices=sorted(MUTATIONS), default="", help="break the store")
    parser.add_argument("--json", action="store_true", help="the counts as one JSON object")
    return parser.parse_args()


def table(report: Report) -> Iterable[str]:
    """The matrix and the counts as lines."""
    cells = {(site, fault): count for site, fault, count in report.cells()}
    yield f"{'write site':16}" + "".join(f"{column.name.lower():>10}" for column in COLUMNS)
    for site in Site:
        counts = [cells.get((site, column.name)) for column in COLUMNS]
        yield f"{site.name:16}" + "".join(
            f"{'-' if count is None else count:>10}" for count in counts
        )
    yield ""
    for counted in (report.tally.at_rest, report.tally.outcomes):
        yield from (f"{name:48}{count:>10}" for name, count in sorted(counted.items()))
        yield ""


def as_json(report: Report) -> str:
    """The counts as one object."""
    tally = report.tally
    return json.dumps(
        {
            "first": report.first,
            "seeds": report.played,
            "blocks": tally.blocks,
            "transactions": tally.transactions,
            "faults": tally.faults,
            "matrix": {f"{site.name}/{fault}": count for site, fault, count in report.cells()},
            "at_rest": tally.at_rest,
            "outcomes": tally.outcomes,
            "unreached": report.unreached,
            "failures": [failed.command for failed in report.failed],
            "passed": report.is_good,
        }
    )


def main() -> int:
    """Sail, print and judge; 1 when a seed failed or something was never met."""
    told = arguments()
    first, seeds = (told.first, told.seeds) if told.only is None else (told.only, 1)
    report = run_campaign(first, seeds, progress_of("seeds"), told.mutation)
    for failed in report.failed:
        print(f"{failed.text}\nto see it again: {failed.command}", file=sys.stderr)
    if told.json:
        print(as_json(report))
    else:
        print("\n".join(table(report)))
        print(report.verdict())
    return 0 if report.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
