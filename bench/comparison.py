"""Figures beside those of an earlier file: ratios first, since machines and moments differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from bench.figures import FIGURES, WORDS, Figure, shown

CONDITIONS: Final = ("version", "build", "cpu", "cores", "python", "accounts", "transactions")
STAGES: Final = ("cpu_us_per_tx", "cpu_us_per_tx_by_process")
NOISE: Final = 0.05
"""Below this nobody can tell a difference between two runs."""


class ComparisonError(Exception):
    """A file that can't be compared with; the text says why."""


def earlier(path: Path) -> dict[str, Any]:
    """The figures of a file. Raises ComparisonError."""
    try:
        found = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise ComparisonError(f"{path}: {error.strerror}: name a file of `make bench`") from error
    except msgspec.DecodeError as error:
        raise ComparisonError(
            f"{path} is not JSON ({error}): name a file of `make bench`"
        ) from error
    if not isinstance(found, dict):
        raise ComparisonError(f"{path} has no figures: name a file of `make bench`")
    return found


def lines(now: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[str]:
    """Which conditions differ; each figure of both, the ratio first; then CPU of stages."""
    for name in CONDITIONS:
        if name in now and now[name] != before.get(name):
            yield f"differs: {name} was {before.get(name)}, is {now[name]}"
    yield f"\n{'now : before':>12}  {'figure':{WORDS}} {'now':>14} {'before':>14}"
    for name, figure in FIGURES.items():
        if _number(now.get(name)) and _number(before.get(name)):
            yield _line(figure, now[name], before[name])
    for part in STAGES:
        yield from _stages(part, now.get(part), before.get(part))


def _line(figure: Figure, now: float, before: float) -> str:
    ratio = now / before if before else float("inf")
    better = ratio < 1 if figure.less_is_better else ratio > 1
    word = "" if abs(ratio - 1) < NOISE else "  better" if better else "  WORSE"
    both = f"{shown(figure, now):>14} {shown(figure, before):>14}"
    return f"{ratio:12.3f}  {figure.words:{WORDS}} {both}{word}"


def _stages(part: str, now: Any, before: Any) -> Iterator[str]:
    if not (isinstance(now, dict) and isinstance(before, dict)):
        return
    yield f"\n{part}, microseconds"
    for name, us in now.items():
        if _number(before.get(name)) and before[name]:
            yield f"{us / before[name]:12.3f}  {name:{WORDS}} {us:14.1f} {before[name]:14.1f}"


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
