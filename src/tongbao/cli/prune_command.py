"""`tongbao prune`: give up the bodies of old blocks, and keep headers, outcomes and rows."""

from __future__ import annotations

from pathlib import Path

import click

from tongbao.cli.options import folder_option, json_option, terminal_of
from tongbao.kernel import jcs


@click.command(epilog="\b\nExample:\n  tongbao prune --keep-blocks 100000")
@click.option(
    "--keep-blocks",
    type=click.IntRange(min=0),
    required=True,
    help="How many of the last blocks keep their transactions and receipts.",
)
@folder_option
@json_option
@click.pass_context
def prune(ctx: click.Context, keep_blocks: int, folder: Path) -> None:
    """Give up transactions and receipts of old blocks, for good. Back the chain up first.

    Headers, where each transaction stands, and all rows are kept: what anybody owns can be shown
    and proven, and old proofs go on to hold. New proofs of old transactions can't be made here any
    more. The rows are written to a base first, and read back; it needs space for the rows three
    times. A node may run: files of the log (64 MB each) go when it starts again, else at once.
    """
    from tongbao.sdk.pruning import prune as give_up

    terminal = terminal_of(ctx)
    with terminal.progress() as progress:
        report = give_up(folder, keep_blocks, progress)
    what = f"prune: base of block {report.base} of {report.chain}"
    if report.is_pending:
        verdict = f"{what}; bodies below block {report.keep_from} go when its node starts again"
    else:
        megabytes = report.freed // 1_000_000
        verdict = f"{what}; bodies begin with block {report.first}, {megabytes} MB freed"
    terminal.answer(jcs.to_builtins(report), verdict)
