"""A balance over time as the path of an SVG: steps, since a balance stands still between movements.

Pure arithmetic on whole numbers: the template draws it, and writes the ends of both axes as text
beside it, so that they stay legible at any width.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final, NamedTuple

WIDTH: Final = 600
HEIGHT: Final = 160
"""The picture's own units; a page stretches it."""


class Step(NamedTuple):
    """What was held from a time (ms UTC) on, in smallest units."""

    time: int
    units: int


class Chart(NamedTuple):
    """A picture: `line` and `area` are path data; the rest is what its edges stand for."""

    line: str
    area: str
    low: int
    high: int
    first: int
    last: int
    least: Step
    most: Step


class _Column(NamedTuple):
    """All steps that fall into one column of the picture: where the line goes there."""

    x: int
    least: int
    most: int
    last: int


def balance_chart(opening: int, steps: Sequence[Step], first: int, last: int) -> Chart:
    """The chart of a period from `first` to `last` that opens with a balance; steps ascend.

    The lower edge is zero, unless that would press all that happens into the upper half.
    """
    every = [Step(first, opening), *steps]
    least, most = min(every, key=_units), max(every, key=_units)
    low = 0 if 2 * least.units <= most.units else least.units
    high = max(most.units, low + 1)
    line = _line(opening, _columns(steps, first, max(last, first + 1)), low, high)
    return Chart(line, f"{line}V{HEIGHT}H0Z", low, high, first, last, least, most)


def _units(step: Step) -> int:
    return step.units


def _columns(steps: Iterable[Step], first: int, last: int) -> list[_Column]:
    """At most one column for each unit of width, however many steps there are."""

    def place(step: Step) -> int:
        return min(WIDTH, max(0, (step.time - first) * WIDTH // (last - first)))

    found = []
    for x, inside in groupby(steps, key=place):
        units = [step.units for step in inside]
        found.append(_Column(x, min(units), max(units), units[-1]))
    return found


def _line(opening: int, columns: Sequence[_Column], low: int, high: int) -> str:
    def height(units: int) -> int:
        return HEIGHT - (units - low) * HEIGHT // (high - low)

    parts = [f"M0 {height(opening)}"]
    for column in columns:
        parts.append(f"H{column.x}")
        if column.least != column.most:
            parts.append(f"V{height(column.most)}V{height(column.least)}")
        parts.append(f"V{height(column.last)}")
    parts.append(f"H{WIDTH}")
    return "".join(parts)
