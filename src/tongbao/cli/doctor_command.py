"""`tongbao doctor`: what is wrong with a folder, what mends itself, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tongbao.cli.options import folder_option, json_option, terminal_of
from tongbao.cli.terminal import count
from tongbao.kernel import jcs

if TYPE_CHECKING:
    from tongbao.sdk.doctor import Report

REPAIRS = ("rows", "headers", "index", "leftovers")


@click.command(epilog="\b\nExample:\n  tongbao doctor\n  tongbao doctor --repair index")
@click.option("--deep", is_flag=True, help="Also the root over all rows against the last header.")
@click.option(
    "--repair",
    "asked",
    multiple=True,
    type=click.Choice(REPAIRS),
    help="Remove this if it is damaged or left over; repeat it. The next start makes it again. "
    "log/, keys/ and genesis.json are never touched.",
)
@folder_option
@json_option
@click.pass_context
def doctor(ctx: click.Context, deep: bool, asked: tuple[str, ...], folder: Path) -> int:
    """Look through the folder of a chain and explain what is found.

    Nothing is changed unless --repair says what. A finding is fine, a note, something that the next
    start mends by itself, or broken: then it says what to do. It works beside a running node, too,
    and says which process that is; where none runs, none can start until it has ended. Exit code 0
    when nothing is broken, else that of the first broken finding. `tongbao audit` counts again
    every block, row and invariant.
    """
    from tongbao.sdk.doctor import examine, repair

    terminal = terminal_of(ctx)
    removed = repair(folder, asked, is_deep=deep) if asked else []
    with terminal.progress() as progress:
        report = examine(folder, is_deep=deep, progress=progress)
    for path in removed:
        terminal.note(f"removed: {path}")
    if asked and not removed:
        terminal.note("removed: nothing, since nothing of what was named is damaged or left over")
    facts: dict[str, Any] = jcs.to_builtins(report)
    facts |= {"removed": removed, "exit_code": report.exit_code}
    rows = [
        (each.check, each.severity.value, "; ".join(filter(None, (each.text, each.do))))
        for each in report.findings
    ]
    terminal.table(facts, ("check", "is", "what"), rows, _verdict(report))
    return report.exit_code


def _verdict(report: Report) -> str:
    """The outcome in one line."""
    from tongbao.sdk.doctor_finding import Severity

    broken, mends = report.of(Severity.BROKEN), report.of(Severity.MENDS)
    if broken:
        names = ", ".join(dict.fromkeys(each.check for each in broken))
        return f"doctor: {count(len(broken), 'finding')} broken: {names}"
    if mends:
        names = ", ".join(dict.fromkeys(each.check for each in mends))
        return f"doctor: nothing is broken; the next start mends {names}"
    return "doctor: nothing is broken"
