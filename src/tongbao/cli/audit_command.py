"""`tongbao audit`: believe nothing of a folder until it has been counted again."""

from __future__ import annotations

from pathlib import Path

import click

from tongbao.cli.exits import Exit
from tongbao.cli.options import folder_option, json_option, terminal_of
from tongbao.cli.terminal import count
from tongbao.kernel import jcs


@click.command(epilog="\b\nExample:\n  tongbao audit")
@folder_option
@json_option
@click.pass_context
def audit(ctx: click.Context, folder: Path) -> int:
    """Check every block, row and invariant of the chain.

    Headers: signatures, order, times (ms UTC) and each one's hash in the next; the roots of
    transactions and receipts in every block; the state root of every block, computed again out of
    what each block wrote; the rows against the last root, the indexes against the rows; and every
    invariant of every module over the whole state. Exit code 65 when anything is found.
    """
    from tongbao.sdk.audit import audit_folder

    terminal = terminal_of(ctx)
    with terminal.progress() as progress:
        report = audit_folder(folder, progress)
    facts = jcs.to_builtins(report)
    if report.findings:
        for finding in report.findings:
            terminal.note(f"found: {finding}")
        terminal.answer(
            facts, f"audit: {count(len(report.findings), 'finding')}; don't rely on this chain"
        )
        return Exit.WRONG
    terminal.answer(
        facts,
        f"audit: {report.blocks} blocks, {report.rows} rows, {report.invariants} invariants hold",
    )
    return Exit.DONE
