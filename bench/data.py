"""`make bench-data`: packages of data in MB/s, in how much memory, and grants end to end.

Writes `build/bench-data.json`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.conditions import conditions
from bench.grants import RUNS, measured
from bench.packages import large, rates

RESULTS = Path("build") / "bench-data.json"


def main(words: Sequence[str] | None = None) -> int:
    """Measure, print, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000, help="rows of the batch")
    parser.add_argument("--times", type=int, default=230, help="batches of the large package")
    parser.add_argument("--households", type=int, default=100, help="that sell, once a run")
    parser.add_argument("--runs", type=int, default=RUNS, help="of all households")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the file to write")
    arguments = parser.parse_args(words)
    found: dict[str, Any] = conditions()
    found |= rates(arguments.rows)
    print(
        f"a package of {found['package_megabytes']:.1f} MB, {found['rows']:,} rows, MB/s of CPU: "
        f"built {found['built_mb_per_s']:.1f}, judged {found['judged_mb_per_s']:.1f}, "
        f"plain AES-GCM {found['aes_gcm_mb_per_s']:.0f}"
    )
    found |= large(arguments.times)
    print(
        f"a package of {found['large_megabytes']:.0f} MB, {found['large_rows']:,} rows: sealed in "
        f"at most {found['sealing_peak_megabytes']:.0f} MB of memory, opened in "
        f"{found['opening_peak_megabytes']:.0f} MB"
    )
    found |= measured(arguments.households, arguments.runs)
    cpu = ", ".join(f"{name} {ms:.0f}" for name, ms in found["cpu_ms_per_grant"].items())
    print(
        f"{found['households']} orders at once, from the request to paid rows: "
        f"{found['grants_per_s']:.1f} grants/s, {found['transactions_per_grant']:.1f} "
        f"transactions each, {found['transactions_per_s']:.0f}/s; ms of CPU a grant: {cpu}"
    )
    arguments.out.parent.mkdir(exist_ok=True)
    arguments.out.write_text(json.dumps(found, indent=2) + "\n")
    print(
        f"bench-data: {found['grants_per_s']:.1f} grants/s, "
        f"{found['built_rows_per_s']:,.0f} rows/s built, into {arguments.out}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
