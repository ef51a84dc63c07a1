"""`tongbao backup` and `tongbao restore`: blocks in another folder, and a chain out of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tongbao.cli.options import folder_option, json_option, read_file, terminal_of, trust_option
from tongbao.cli.terminal import count
from tongbao.cli.values import time_of
from tongbao.kernel import jcs

if TYPE_CHECKING:
    from tongbao.sdk.backup import BackupReport
    from tongbao.sdk.restore import RestoreReport

FOLDER = click.Path(path_type=Path)


@click.group(
    invoke_without_command=True,
    epilog="\b\nExample:\n  tongbao backup --folder my-chain --to backup\n"
    "  tongbao backup verify backup --trust trust.json",
)
@click.option(
    "--to",
    "target",
    type=FOLDER,
    help="The folder of the backup: a new one, or one that gets what is new.",
)
@click.option(
    "--snapshot",
    "with_snapshot",
    is_flag=True,
    help="Bring a snapshot of the rows as well, in the place of the one before: restores are "
    "quicker by it.",
)
@folder_option
@json_option
@click.pass_context
def backup(ctx: click.Context, target: Path | None, with_snapshot: bool, folder: Path) -> None:
    """Back the chain up: verify each block that the backup lacks, and copy it.

    A node may run on the folder and isn't held up. Again to the same folder, only new blocks are
    read and written; a run that was killed is gone on with. Keys are never copied: keep keys/ apart
    from the backup. Exit code 65 when the backup is of another history or a block can't be
    believed, 73 when there is no space: the backup is as it was then.
    """
    if ctx.invoked_subcommand is not None:
        return
    if target is None:
        raise click.UsageError("Missing option '--to'.", ctx)
    from tongbao.sdk.backup import back_up

    terminal = terminal_of(ctx)
    with terminal.progress() as progress:
        report = back_up(folder, target, progress, with_snapshot=with_snapshot)
    if report.new == report.height + 1 - report.first:
        terminal.note(f"note: keys are not in it; keep a copy of {folder / 'keys'} somewhere else")
    _tell(ctx, target, report, f"{_blocks(report)}, {report.new} new, verified, in {target}")


@backup.command(epilog="\b\nExample:\n  tongbao backup verify backup --trust trust.json")
@click.argument("target", metavar="DIR", type=FOLDER)
@trust_option
@json_option
@click.pass_context
def verify(ctx: click.Context, target: Path, trust: Path | None) -> None:
    """Read the whole backup in DIR again, and verify every block and base.

    Without --trust the keys are those of its own genesis file: it is whole then, but whoever made
    it may have made that file too. Exit codes 65 and 74: don't rely on it.
    """
    from tongbao.sdk.backup import verify as check

    terminal = terminal_of(ctx)
    with terminal.progress() as progress:
        report = check(target, None if trust is None else read_file(trust), progress)
    if trust is None:
        terminal.note("note: its keys are those of its own genesis.json; give --trust FILE")
    whose = "whole by its own genesis file" if trust is None else "verified"
    _tell(ctx, target, report, f"{_blocks(report)}, {whose}")


def _blocks(report: BackupReport) -> str:
    return f"backup: blocks {report.first} to {report.height} of {report.chain}"


def _tell(ctx: click.Context, target: Path, report: BackupReport, verdict: str) -> None:
    terminal_of(ctx).answer({"backup": str(target)} | jcs.to_builtins(report), verdict)


@click.command(
    epilog="\b\nExample:\n  tongbao restore backup --folder my-chain --trust trust.json\n"
    "  tongbao restore backup --folder look --time 2026-11-20T18:00:00Z"
)
@click.argument("source", metavar="BACKUP", type=FOLDER)
@folder_option
@click.option("--height", type=click.IntRange(min=0), help="The last block to restore.")
@click.option(
    "--time",
    metavar="TIME",
    help="Restore the blocks up to this time: ms UTC, or ISO 8601 with its time zone.",
)
@trust_option
@json_option
@click.pass_context
def restore(
    ctx: click.Context,
    source: Path,
    folder: Path,
    height: int | None,
    time: str | None,
    trust: Path | None,
) -> None:
    """Make a chain's folder of BACKUP, whole or not at all; every block is verified by the way.

    The folder must not be there yet. It ends where the backup ends, or with --height or --time at
    an earlier block. The rows are made and have the root that the last header commits to. Put keys/
    back for the chain to go on. Exit code 66 when the backup does not have what is asked for.
    """
    from tongbao.sdk.restore import restore as make

    if height is not None and time is not None:
        raise click.UsageError("--height and --time both say where to end: give one", ctx)
    terminal = terminal_of(ctx)
    with terminal.progress() as progress:
        report = make(
            source,
            folder,
            progress,
            height=height,
            time=None if time is None else time_of(time),
            trust=None if trust is None else read_file(trust),
        )
    if trust is None:
        terminal.note("note: its keys are those of its own genesis.json; give --trust FILE")
    terminal.note(f"note: keys are in no backup; put keys/ back into {folder} for it to go on")
    if report.left_out:
        terminal.note(
            "warning: if the later blocks exist anywhere, signing on from here makes two histories "
            "with one authority: use this folder to look, unless all others are gone"
        )
    terminal.answer({"folder": str(folder)} | jcs.to_builtins(report), _restored(report, folder))


def _restored(report: RestoreReport, folder: Path) -> str:
    what = f"restore: blocks {report.first} to {report.height} of {report.chain}, verified"
    if not report.left_out:
        return f"{what}, in {folder}"
    later = count(report.left_out, "later block")
    was = "that was acknowledged is" if report.left_out == 1 else "that were acknowledged are"
    return f"{what}, in {folder}; {later} {was} left out"
