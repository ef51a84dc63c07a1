"""`tongbao account bundle`: a statement with its proofs, in one file that anybody can check."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

import click

from tongbao.cli import complete
from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.options import folder_option, json_option, node_option, terminal_of, write_file
from tongbao.cli.session import Session
from tongbao.cli.terminal import count

if TYPE_CHECKING:
    from tongbao.sdk.bundle import BundleStatement
    from tongbao.sdk.errors import NodeError

NEEDS_NODE: Final = "start it with `tongbao run`, or give --node ADDRESS"
OTHER_PERIOD: Final = "change --from or --to: dates, ISO 8601 or ms UTC, the earlier one first"

Command = Callable[..., None]


def period_options(command: Command) -> Command:
    """Add what statements and bundles are of: an account, its asset, and from when to when."""
    adding = (
        click.argument("account", metavar="ACCOUNT", shell_complete=complete.accounts),
        click.option("--asset", required=True, help="The asset: CODE, CODE.NAME or CODE.ADDRESS."),
        click.option(
            "--from",
            "first",
            metavar="TIME",
            help="From this time on: a date, ISO 8601, or ms UTC.",
        ),
        click.option(
            "--to",
            "before",
            metavar="TIME",
            help="Before this time, by default until now.",
        ),
    )
    for add in reversed(adding):  # as decorators are, the last one first
        command = add(command)
    return command


@click.command(
    epilog="\b\nExample:\n  tongbao account bundle alice --asset CNY.operator"
    " --from 2030-01-01 --to 2030-02-01 --out january.zip"
)
@period_options
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The archive to write (replaced if it exists).",
)
@folder_option
@node_option
@json_option
@click.pass_context
def bundle(
    ctx: click.Context,
    account: str,
    asset: str,
    first: str | None,
    before: str | None,
    out: Path,
    folder: Path,
    node: str | None,
) -> None:
    """Write an audit bundle: what moved on ACCOUNT in an asset, with a proof of each movement.

    `tongbao verify` checks it anywhere, by a trust file. A running node makes it, since its index
    knows the history.
    """
    from tongbao.sdk.errors import NodeError
    from tongbao.sdk.http import HttpChain

    session = Session(folder, node=node)
    with session.open(write=False) as chain:
        if not isinstance(chain, HttpChain):
            raise CommandError(f"no node serves {folder} now", NEEDS_NODE, Exit.NO_INPUT)
        resolver = session.resolver()
        whose, which = resolver.address(account), resolver.asset(asset)
        try:
            content = chain.bundle(whose, which, first, before)
        except LookupError as error:
            raise CommandError(
                str(error).strip("'\""), "check the asset's code and issuer", Exit.NOTHING
            ) from error
        except NodeError as error:
            fail_of_period(error)
    statement = _statement_in(content)
    write_file(out, content)
    moved = count(len(statement.movements), "movement")
    facts = {
        "file": str(out),
        "account": whose,
        "asset": which,
        "from": statement.first_time,
        "to": statement.before_time,
        "movements": len(statement.movements),
        "since": len(statement.since),
        "opening": statement.opening,
        "closing": statement.closing,
        "height": statement.height,
    }
    terminal_of(ctx).answer(facts, f"written to {out}: {moved}, not yet verified")


def fail_of_period(error: NodeError) -> NoReturn:
    """Raise a node's error as it is, or CommandError where the node calls the question wrong.

    What is asked for is resolved before, so that only the period can be wrong.
    """
    if error.problem.status != HTTPStatus.BAD_REQUEST:
        raise error
    raise CommandError(str(error), OTHER_PERIOD, Exit.USAGE) from error


def _statement_in(content: bytes) -> BundleStatement:
    """The statement of an archive that came whole; nothing else is checked. Raises CommandError."""
    from tongbao.sdk.bundle_verification import statement_in
    from tongbao.sdk.findings import VerificationError

    try:
        return statement_in(content)
    except VerificationError as error:
        raise CommandError(
            f"the archive is not whole: {error}", "ask for it again", Exit.BUSY
        ) from error
