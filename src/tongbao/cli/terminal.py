"""What commands print: plain lines that end in a verdict, or one JSON object.

Facts go to standard output; notes, progress and failures go to standard error, but with `--json`
a failure is the one object on standard output. Rich draws bars and tables where it is installed
and the output is a terminal; everywhere else it is plain text.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import click
import msgspec

from tongbao.cli.failures import Failure

Progress = Callable[[str, int, int], None]
"""Told a stage's name, how much of it is done, and how much it is."""


def count(number: int, what: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def json_text(value: Any) -> str:
    """Compact JSON, members in the order given."""
    return msgspec.json.encode(value).decode()


class Terminal:
    """Where one command writes. `json` is set by the command's option of that name."""

    def __init__(self) -> None:
        """Write plain text until told otherwise."""
        self.json = False

    def answer(self, facts: dict[str, Any], verdict: str) -> None:
        """Print the facts and, as the last plain line, the verdict."""
        if self.json:
            click.echo(json_text(facts))
            return
        width = max(map(len, facts), default=0)
        for name, value in facts.items():
            click.echo(f"{name:<{width}}  {_plain(value)}")
        click.echo(verdict)

    def table(
        self,
        facts: dict[str, Any],
        columns: Sequence[str],
        rows: Sequence[Sequence[Any]],
        verdict: str,
    ) -> None:
        """Print rows under their columns; with `--json` only `facts`, which hold them too."""
        if self.json:
            click.echo(json_text(facts))
            return
        cells = [[_plain(cell) for cell in row] for row in rows]
        if cells:
            _draw(columns, cells)
        click.echo(verdict)

    def document(self, value: Any, verdict: str) -> None:
        """Print one JSON document, spread over lines for people, and the verdict."""
        text = json_text(value)
        if self.json:
            click.echo(text)
            return
        click.echo(msgspec.json.format(text))
        click.echo(verdict)

    def note(self, text: str) -> None:
        """Say something on standard error that is no fact."""
        if not self.json:
            click.echo(text, err=True)

    def fail(self, failure: Failure) -> None:
        """Say what to do and, as the last line, the verdict: what is wrong."""
        if self.json:
            click.echo(json_text(failure.facts()))
            return
        click.echo(f"do: {failure.advice}", err=True)
        click.echo(f"{failure.kind}: {failure.text}", err=True)

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """A function to be told how far a long job is."""
        if self.json or not sys.stderr.isatty():
            yield _silent
        elif find_spec("rich") is None:
            yield _plain_progress
        else:
            from tongbao.cli.rich_output import bars

            with bars() as tell:
                yield tell


def _plain(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, str):
        return value
    return "-" if value is None else json_text(value)


def _draw(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if sys.stdout.isatty() and find_spec("rich") is not None:
        from tongbao.cli.rich_output import draw

        draw(columns, rows)
        return
    lines = [columns, *rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    for line in lines:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def _silent(stage: str, done: int, total: int) -> None:
    """Say nothing: nobody is watching."""


def _plain_progress(stage: str, done: int, total: int) -> None:
    """Rewrite one line of a terminal."""
    click.echo(f"\r{stage} {done} of {total}", nl=done >= total, err=True)
