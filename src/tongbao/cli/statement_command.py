"""`tongbao account statement`: what moved between two times, with balances, also as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import asdict

from tongbao.cli.bundle_command import NEEDS_NODE, fail_of_period, period_options
from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.options import folder_option, json_option, node_option, terminal_of, write_file
from tongbao.cli.session import Session
from tongbao.cli.terminal import count

if TYPE_CHECKING:
    from tongbao.sdk.answers import StatementAnswer
    from tongbao.sdk.http import HttpChain

COLUMNS = ("time", "way", "amount", "balance", "counterparty", "reference")


@click.command(
    epilog="\b\nExample:\n  tongbao account statement alice --asset CNY.operator"
    " --from 2030-01-01 --to 2030-02-01 --csv january.csv"
)
@period_options
@click.option(
    "--csv",
    "out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the movements to this file (replaced if it exists).",
)
@folder_option
@node_option
@json_option
@click.pass_context
def statement(
    ctx: click.Context,
    account: str,
    asset: str,
    first: str | None,
    before: str | None,
    out: Path | None,
    folder: Path,
    node: str | None,
) -> None:
    """Show what moved on ACCOUNT in an asset, the oldest first, with opening and closing balance.

    A running node answers out of its index: its word, not a proof. `tongbao account bundle` brings
    proofs of the same.
    """
    from tongbao.index.answers import StatementMovement
    from tongbao.sdk.bundle import moment
    from tongbao.sdk.errors import NodeError
    from tongbao.sdk.http import HttpChain
    from tongbao.sdk.statement_csv import HEAD, csv_lines

    session = Session(folder, node=node)
    with session.open(write=False) as chain:
        if not isinstance(chain, HttpChain):
            raise CommandError(f"no node serves {folder} now", NEEDS_NODE, Exit.NO_INPUT)
        resolver = session.resolver()
        whose, which = resolver.address(account), resolver.asset(asset)
        try:
            pages = list(_pages(chain, whose, which, first, before))
        except LookupError as error:
            raise CommandError(
                str(error).strip("'\""), "check the asset's code and issuer", Exit.NOTHING
            ) from error
        except NodeError as error:
            fail_of_period(error)
    moved: list[StatementMovement] = [one for page in pages for one in page.movements]
    facts: dict[str, Any] = {
        "account": whose,
        "asset": which,
        "height": pages[-1].index_height,
        "opening": pages[0].opening,
        "closing": pages[-1].closing,
    }
    if pages[0].from_block:
        facts["from_block"] = pages[0].from_block
    verdict = f"{count(len(moved), 'movement')}, {facts['opening']} to {facts['closing']}"
    terminal = terminal_of(ctx)
    if out is not None:
        write_file(out, HEAD + csv_lines(moved))
        terminal.answer(facts | {"file": str(out), "movements": len(moved)}, f"{verdict}, in {out}")
    else:
        rows = [
            (moment(one.time), *(getattr(one, name) or "-" for name in COLUMNS[1:]))
            for one in moved
        ]
        told = facts | {"movements": [asdict(one) for one in moved]}
        terminal.table(told, COLUMNS, rows, verdict)


def _pages(
    chain: HttpChain, account: str, asset: str, first: str | None, before: str | None
) -> Iterator[StatementAnswer]:
    """All pages; what happens meanwhile may be among them, and the last closing is then true."""
    after = None
    while True:
        page = chain.statement(account, asset, first, before, after=after)
        yield page
        after = page.after
        if after is None:
            return
