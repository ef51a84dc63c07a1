"""How far a stage is, for people and for logs."""

from __future__ import annotations

import sys
from time import perf_counter
from typing import Final

import click

REDRAW_SECONDS: Final = 0.2


class Progress:
    """One line a stage: redrawn on a terminal, written once it is done elsewhere."""

    def __init__(self, quiet: bool) -> None:
        """Say nothing when quiet."""
        self.quiet = quiet
        self.live = sys.stderr.isatty()
        self.stage = ""
        self.begun = 0.0
        self.drawn = 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show how far a stage is."""
        now = perf_counter()
        if stage != self.stage or done == 0:
            self.stage, self.begun = stage, now
        if self.quiet or (done < total and (not self.live or now - self.drawn < REDRAW_SECONDS)):
            return
        self.drawn = now
        rate = f", {done / (now - self.begun):,.0f}/s" if done and now > self.begun else ""
        line = f"{stage:10} {done:>9,} of {total:,}{rate}"
        if self.live:
            click.echo(f"\r\x1b[K{line}", err=True, nl=done == total)
        else:
            click.echo(line, err=True)
