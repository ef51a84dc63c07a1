"""The report of campaigns as one page of HTML, without scripts or anything from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

import msgspec

from tongbao.simulation.crash.page import STYLE
from tongbao.simulation.network.report import Report, total, verdict, wanted_points


def write_page(reports: list[Report], folder: Path, *, must_reach_all: bool) -> Path:
    """Write `index.html` and `report.json` into a folder; the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "index.html"
    page.write_text(page_of(reports, must_reach_all=must_reach_all), encoding="utf-8")
    (folder / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(reports)))
    return page


def page_of(reports: list[Report], *, must_reach_all: bool) -> str:
    """The whole page."""
    is_good, text = verdict(reports, must_reach_all=must_reach_all)
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><title>A network under faults</title>",
        f"<style>{STYLE}</style><h1>A network under faults</h1>",
        f"<p class={'good' if is_good else 'bad'}>{escape(text)}</p>",
        "<h2>How often each was reached</h2>",
        _reached(reports, must_reach_all=must_reach_all),
    ]
    for report in reports:
        parts += _campaign(report)
    return "\n".join(parts) + "\n"


def _reached(reports: list[Report], *, must_reach_all: bool) -> str:
    counts = total(reports)
    names = dict.fromkeys((*(wanted_points() if must_reach_all else ()), *sorted(counts)))
    rows = [(name, f"{counts[name]}") for name in names]
    bad = [name for name in names if must_reach_all and not counts[name]]
    return _table(("what", "times"), rows) + "".join(
        f"<p class=bad>never reached: {escape(name)}</p>" for name in bad
    )


def _campaign(report: Report) -> list[str]:
    counts = report.transactions
    told = [(name, f"{counts[name]:,}") for name in counts]
    facts = [
        *told,
        ("reads compared", f"{report.reads:,}"),
        ("blocks", f"{report.blocks:,}"),
        ("seconds", f"{report.seconds:.0f}"),
        ("over", report.fabric),
        ("to play it again", report.replay),
    ]
    lines = [
        (line.fault, line.what, f"{line.seconds:.1f}", f"{line.settled:.1f}", f"{line.height:,}")
        for line in report.lines
    ]
    heads = ("fault", "what", "lasted, s", "until all agreed, s", "at block")
    return [
        f"<h2>{escape(report.manifest)}, seed {report.seed}</h2>",
        *(f"<p class=bad>{escape(finding)}</p>" for finding in report.findings),
        _table(("", ""), facts),
        _table(heads, lines),
    ]


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"
