"""The report of a campaign as one page of HTML, without scripts or anything from elsewhere."""

from __future__ import annotations

from collections import Counter
from html import escape
from pathlib import Path
from statistics import quantiles
from typing import Final

import msgspec

from tongbao.simulation.crash.campaign import Report
from tongbao.simulation.crash.points import Moment, moments_of, places

STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;margin:1rem 0}td,th{border:1px solid #bbb;padding:.3rem .7rem}"
    "td+td{text-align:right}.bad{background:#fdd}.good{background:#dfd}"
)


def write_page(report: Report, folder: Path) -> Path:
    """Write `index.html` and `report.json` into a folder; the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "index.html"
    page.write_text(page_of(report), encoding="utf-8")
    (folder / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    return page


def page_of(report: Report) -> str:
    """The whole page."""
    kind = "good" if report.is_good else "bad"
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><title>Crash campaign</title>",
        f"<style>{STYLE}</style><h1>Crash campaign</h1>",
        f"<p class={kind}>{escape(report.verdict())}</p>",
        "<h2>Kills by point and moment</h2>",
        _points(report),
        "<h2>Other kills</h2>",
        _counts(report.kinds),
        "<h2>What nodes had to mend</h2>",
        _counts(report.troubles + report.told),
        "<h2>Transactions</h2>",
        _counts(
            Counter(
                {
                    "acknowledged": report.acknowledged,
                    "expired, and never happened": report.never,
                    "comparisons right after a start": report.checks,
                    "audits of the whole folder": report.audits,
                }
            )
        ),
        "<h2>From a start to the first answer</h2>",
        _times(report.restarts_s),
    ]
    return "\n".join(parts) + "\n"


def _points(report: Report) -> str:
    heads = "".join(f"<th>{moment}</th>" for moment in Moment)
    rows = []
    for place in places():
        cells = []
        for moment in Moment:
            if moment not in moments_of(place):
                cells.append("<td>can't be</td>")
                continue
            count = report.points[f"{moment} {place}"]
            cells.append(f"<td{'' if count else ' class=bad'}>{count}</td>")
        rows.append(f"<tr><td>{escape(place)}</td>{''.join(cells)}</tr>")
    return f"<table><tr><th>place</th>{heads}</tr>{''.join(rows)}</table>"


def _counts(counts: Counter[str]) -> str:
    rows = "".join(f"<tr><td>{escape(name)}</td><td>{n}</td></tr>" for name, n in counts.items())
    return f"<table>{rows}</table>"


def _times(seconds: list[float]) -> str:
    if len(seconds) < 2:
        return "<p>too few to say</p>"
    cuts = quantiles(seconds, n=100)
    found = {"least": min(seconds), "half": cuts[49], "99 of 100": cuts[98], "most": max(seconds)}
    rows = "".join(f"<tr><td>{name}</td><td>{s:.3f} s</td></tr>" for name, s in found.items())
    return f"<table>{rows}</table>"
