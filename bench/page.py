"""`python -m bench.page`: writes the tables of `docs/performance.md` out of `build/bench*.json`.

Each table stands between two comments that name its part; a part whose file isn't there stays as
it is. So the page has the figures of a run, and nobody copies numbers by hand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.comparison import ComparisonError, earlier
from bench.figures import PARTS, goal, is_reached, shown

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "performance.md"
BUILD = Path("build")
MARKS = "<!-- {0}: made by `python -m bench.page` -->"
END = "<!-- {0}: end -->"
NO_PAGE = 66


def conditions(found: Mapping[str, Any]) -> str:
    """Under what a file's figures were measured."""
    load = found["load_before"]
    busy = "otherwise idle" if load < 1 else f"busy with other work (load {load:.0f} before)"
    return (
        f"Conditions: {found['cpu']}, {found['cores']} cores, {busy}; Python {found['python']}, "
        f"{found['build']}; Tongbao {found['version']}; {found['durability']}"
    )


def figures(found: Mapping[str, Any]) -> Iterator[str]:
    """The figures of a file with their goals, ratios first."""
    yield "| figure | measured | goal |"
    yield "| --- | --- | --- |"
    for part in PARTS:
        for figure in part.figures:
            if figure.name in found:
                value = found[figure.name]
                aim = goal(figure).strip().strip("()")
                short = "" if is_reached(figure, value) else ", not reached"
                yield f"| {figure.words} | {shown(figure, value)} | {aim}{short} |"


def node_part(found: Mapping[str, Any]) -> Iterator[str]:
    """One node under batches."""
    yield from figures(found)
    yield ""
    cpu = found["cpu_us_per_tx_by_process"].items()
    yield f"CPU of a payment, us: {', '.join(f'{role} {us:.0f}' for role, us in cpu)}."
    stages = found["cpu_us_per_tx"].items()
    yield f"Its stages in one process, us: {', '.join(f'{name} {us:.1f}' for name, us in stages)}."
    yield ""
    yield (
        f"{conditions(found)}; {found['accounts']:,} accounts ({found['rows']:,} rows), "
        f"{found['transactions']:,} payments a run, medians of {found['runs']}; processes: "
        f"{', '.join(found['processes'])}. Reads: {found['reads_mix']}."
    )


def long_part(found: Mapping[str, Any]) -> Iterator[str]:
    """What takes long."""
    yield from figures(found)
    yield ""
    yield f"{conditions(found)}."


def governed_part(found: Mapping[str, Any]) -> Iterator[str]:
    """Under a consortium's controls."""
    yield from figures(found)
    yield ""
    yield (
        f"{conditions(found)}; {found['accounts']:,} accounts on either chain, "
        f"{found['payments']:,} payments a run, medians of {found['runs']}; "
        f"{found['sessions']:,} sessions of as many accounts."
    )


def peers_part(found: Mapping[str, Any]) -> Iterator[str]:
    """Beside others."""
    yield "| contender | ours : it | payments/s | CPU of a payment, us |"
    yield "| --- | --- | --- | --- |"
    for name, one in found["contenders"].items():
        cpu = ", ".join(f"{role} {us:.0f}" for role, us in one["cpu_us"].items())
        yield f"| {name} | {one['ours_of_it']:.2f} | {one['rate']:,.0f} | {cpu} |"
    yield ""
    for name, one in found["contenders"].items():
        yield f"- {name}: {one['conditions']}."
    for line in found["missing"]:
        yield f"- Left out: {line}."
    yield ""
    yield (
        f"{conditions(found)}; {found['accounts']:,} accounts, {found['transactions']:,} payments "
        f"a turn, medians of {found['runs']} turns; {found['ratio_to_verify']:.3f} of L, which is "
        f"{found['verify_per_s']:,.0f}/s."
    )


def data_part(found: Mapping[str, Any]) -> Iterator[str]:
    """Packages of data, and grants end to end."""
    yield "| figure | measured |"
    yield "| --- | --- |"
    for words, value in (
        ("grants settled, end to end, a second", f"{found['grants_per_s']:.1f}"),
        ("ledger transactions of a grant", f"{found['transactions_per_grant']:.1f}"),
        ("ledger transactions for them, a second", f"{found['transactions_per_s']:.0f}"),
        ("seconds of a grant, all ordered at once, median", f"{found['grant_s']:.1f}"),
        ("packages built, MB a second of CPU", f"{found['built_mb_per_s']:.1f}"),
        ("packages judged, MB a second of CPU", f"{found['judged_mb_per_s']:.1f}"),
        ("plain AES-GCM, MB a second of CPU", f"{found['aes_gcm_mb_per_s']:,.0f}"),
        ("rows built, a second of CPU", f"{found['built_rows_per_s']:,.0f}"),
        ("rows judged, a second of CPU", f"{found['judged_rows_per_s']:,.0f}"),
        (
            f"most memory while {found['large_megabytes']:,.0f} MB are packaged, MB",
            f"{found['sealing_peak_megabytes']:.0f}",
        ),
        ("the same while they are opened, MB", f"{found['opening_peak_megabytes']:.0f}"),
    ):
        yield f"| {words} | {value} |"
    yield ""
    cpu = ", ".join(f"{name} {ms:.0f}" for name, ms in found["cpu_ms_per_grant"].items())
    yield f"CPU of a grant, ms: {cpu}."
    yield ""
    yield (
        f"{conditions(found)}; {found['households']} orders at once of as many households, "
        f"{found['rows_each']} rows each, {found['buyers']} buyers; node, store and agent are "
        f"programs of their own, medians of {found['runs']}; one package of {found['rows']:,} rows "
        f"and one of {found['large_rows']:,}."
    )


WRITERS: dict[str, Callable[[Mapping[str, Any]], Iterator[str]]] = {
    "bench": node_part,
    "bench-long": long_part,
    "bench-governed": governed_part,
    "bench-peers": peers_part,
    "bench-data": data_part,
}
"""The files of `build/`, which are the names of the parts too."""


def with_part(page: str, name: str, lines: Iterator[str]) -> str:
    """The page with one part written anew. AssertionError where it has no place for it."""
    begin, end = MARKS.format(name), END.format(name)
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    assert len(pattern.findall(page)) == 1, f"the page has no place for {name}"
    text = "\n".join(lines)
    return pattern.sub(lambda _: f"{begin}\n\n{text}\n\n{end}", page)


def main(build: Path = BUILD, page: Path = PAGE) -> int:
    """Write every part whose file is there."""
    text, written = page.read_text(), []
    for name, writer in WRITERS.items():
        file = build / f"{name}.json"
        if not file.exists():
            continue
        try:
            text = with_part(text, name, writer(earlier(file)))
        except ComparisonError as error:
            print(f"page: {error}", file=sys.stderr)
            return NO_PAGE
        written.append(name)
    page.write_text(text)
    print(f"page: {page.name} has {', '.join(written) or 'nothing new: no file in build/'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
