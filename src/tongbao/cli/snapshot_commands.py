"""`tongbao snapshot`: the rows and history of one height in a folder, which anybody can verify."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from tongbao.cli.options import folder_option, json_option, read_file, terminal_of, trust_option
from tongbao.cli.terminal import count
from tongbao.kernel import jcs

if TYPE_CHECKING:
    from tongbao.sdk.snapshots import SnapshotReport

IMPORT_EXAMPLE: Final = (
    "\b\nExample:\n  tongbao snapshot import snapshot-1 --folder chain --trust trust.json"
)


genesis_option = click.option(
    "--genesis",
    type=click.Path(path_type=Path),
    help="Genesis file of the chain that it must be of, every byte.",
)


@click.group(no_args_is_help=True)
def snapshot() -> None:
    """Snapshots: all rows of one block under its signed header, and the history until then."""


@snapshot.command(epilog="\b\nExample:\n  tongbao snapshot take --to snapshot-1")
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    required=True,
    help="The folder to write; it must not be there yet, and appears whole or not at all.",
)
@folder_option
@json_option
@click.pass_context
def take(ctx: click.Context, target: Path, folder: Path) -> None:
    """Write a snapshot of the chain, and verify it.

    A node may run on the folder and isn't held up. The snapshot is of the block that its rows have
    reached, a few behind the last at most. It brings all signed headers, and where old transactions
    stand. Needs space for the rows three times while it is made.
    """
    from tongbao.sdk.snapshots import take as write

    with terminal_of(ctx).progress() as progress:
        report = write(folder, target, progress)
    _tell(ctx, target, report, f"snapshot: {_what(report)}, verified, in {target}")


@snapshot.command(epilog="\b\nExample:\n  tongbao snapshot verify snapshot-1 --trust trust.json")
@click.argument("target", metavar="DIR", type=click.Path(path_type=Path))
@trust_option
@genesis_option
@json_option
@click.pass_context
def verify(ctx: click.Context, target: Path, trust: Path | None, genesis: Path | None) -> None:
    """Verify the snapshot in DIR: every chunk, the root of all, each header and who has signed it.

    The verdict says "with history", or "rows only" for one that an older version has made. Where
    old transactions stand is in no header: believe that of whoever hands it over.

    Without --trust and --genesis the keys are those of its own genesis file: it is whole then, but
    whoever made it may have made that file too. Exit code 65: don't believe it.
    """
    from tongbao.kernel.genesis import read_genesis
    from tongbao.sdk.snapshots import verify as check

    wanted = None if genesis is None else read_genesis(read_file(genesis))
    terminal = terminal_of(ctx)
    with terminal.progress() as progress:
        report = check(target, None if trust is None else read_file(trust), wanted, progress)
    is_trusted = trust is not None or genesis is not None
    if not is_trusted:
        terminal.note("note: its keys are those of its own genesis.json; give --trust FILE")
    whose = "verified" if is_trusted else "whole by its own genesis file"
    _tell(ctx, target, report, f"snapshot: {_what(report)}, {whose}")


@snapshot.command("import", epilog=IMPORT_EXAMPLE)
@click.argument("target", metavar="DIR", type=click.Path(path_type=Path))
@trust_option
@genesis_option
@click.option(
    "--believe-its-own-genesis",
    "is_believed",
    is_flag=True,
    help="Do without both: whoever has made the snapshot is believed.",
)
@folder_option
@json_option
@click.pass_context
def import_(
    ctx: click.Context,
    target: Path,
    trust: Path | None,
    genesis: Path | None,
    is_believed: bool,
    folder: Path,
) -> None:
    """Verify the snapshot in DIR, and make FOLDER a chain that goes on from its block.

    FOLDER must not be there yet, and appears whole or not at all. It has all rows, all headers and
    where old transactions stand, but no block of before; keys are brought from elsewhere. Needs
    space for the rows four times while it is made. Exit code 65: don't believe the snapshot.
    """
    from tongbao.kernel.genesis import read_genesis
    from tongbao.sdk.snapshot_import import import_snapshot

    if trust is None and genesis is None and not is_believed:
        raise click.UsageError(
            "nobody vouches for this snapshot: give --trust FILE or --genesis FILE, "
            "or --believe-its-own-genesis"
        )
    wanted = None if genesis is None else read_genesis(read_file(genesis))
    signers = None if trust is None else read_file(trust)
    with terminal_of(ctx).progress() as progress:
        report = import_snapshot(target, folder, signers, wanted, progress)
    missing = f"to make blocks, put the authority's key into {folder / 'keys'}"
    _tell(ctx, folder, report, f"snapshot: {_what(report)}, imported into {folder}; {missing}")


def _what(report: SnapshotReport) -> str:
    return f"{count(report.rows, 'row')} of block {report.height} of {report.chain}, {report.kind}"


def _tell(ctx: click.Context, target: Path, report: SnapshotReport, verdict: str) -> None:
    terminal_of(ctx).answer({"folder": str(target)} | jcs.to_builtins(report), verdict)
