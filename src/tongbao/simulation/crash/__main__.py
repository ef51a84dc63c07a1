"""`python -m tongbao.simulation.crash`: kill a real node again and again, and count afterwards."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tongbao.simulation.crash.campaign import run_campaign
from tongbao.simulation.crash.layout import run_layout
from tongbao.simulation.crash.page import write_page
from tongbao.simulation.progress import progress_of


def arguments() -> argparse.Namespace:
    """The command's options."""
    parser = argparse.ArgumentParser(prog="python -m tongbao.simulation.crash", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="what the plan of each kill comes from")
    parser.add_argument("--kills", type=int, default=1_000, metavar="N", help="how many")
    parser.add_argument(
        "--out", type=Path, default=Path("build/crash"), help="folder of the report page"
    )
    parser.add_argument(
        "--layout",
        action="store_true",
        help="kill single processes of a node that has several, instead of whole nodes",
    )
    return parser.parse_args()


def main() -> int:
    """Kill, write the page, print and judge; 1 when something was lost, doubled or left out."""
    told = arguments()
    if told.layout:
        found = run_layout(told.seed, told.kills, progress_of("kills"))
        print(found.verdict())
        return 0 if found.is_good else 1
    report = run_campaign(told.seed, told.kills, progress_of("kills"))
    print(f"report: {write_page(report, told.out)}")
    if report.failure:
        print(
            f"to do the same again: python -m tongbao.simulation.crash --seed {told.seed} "
            f"--kills {told.kills}\nThe plan of each kill is the same then; how far the clients "
            "had come is not: give it several runs.",
            file=sys.stderr,
        )
    print(report.verdict())
    return 0 if report.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
