"""Bars and tables by rich: imported only where it is installed and a terminal looks on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tongbao.cli.terminal import Progress as Tell


@contextmanager
def bars() -> Iterator[Tell]:
    """One bar per stage on standard error."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks = {}

        def tell(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total)
            progress.update(tasks[stage], completed=done, total=total)

        yield tell


def draw(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on standard output."""
    table = Table(*columns)
    for row in rows:
        table.add_row(*row)
    Console(markup=False).print(table)


@contextmanager
def redrawn(columns: Sequence[str]) -> Iterator[Callable[[Sequence[Sequence[str]]], None]]:
    """A table on standard error that a function draws anew in its place."""
    with Live(console=Console(stderr=True, markup=False), auto_refresh=False) as live:

        def redraw(rows: Sequence[Sequence[str]]) -> None:
            table = Table(*columns)
            for row in rows:
                table.add_row(*row)
            live.update(table, refresh=True)

        yield redraw
