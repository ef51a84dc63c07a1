"""`tongbao genesis`: what a chain begins with: the parts of several nodes, or another's rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tongbao.cli.failures import CommandError
from tongbao.cli.genesis_part_commands import assemble, part
from tongbao.cli.init_command import ENGINES, NETWORK
from tongbao.cli.options import (
    Passphrase,
    folder_option,
    json_option,
    passphrase_option,
    read_file,
    terminal_of,
)
from tongbao.cli.terminal import count
from tongbao.kernel import GenesisError, jcs

if TYPE_CHECKING:
    from tongbao.sdk.genesis_export import ExportReport

FOLDER = click.Path(path_type=Path)


@click.group(no_args_is_help=True)
def genesis() -> None:
    """Begin a network of several institutions, or a new chain with all rows of an old one.

    A network: each makes the `part` of its node, and all `assemble` the same genesis of all parts.
    The rows of an old chain: one makes an `export`, and all `verify` it.
    """


genesis.add_command(part)
genesis.add_command(assemble)


@genesis.command(
    epilog="\b\nExample:\n  tongbao genesis export --folder old --to network --name network\n"
    "  tongbao run --folder network"
)
@click.option("--to", "target", type=FOLDER, required=True, help="The new chain's folder.")
@click.option("--name", required=True, help="Its name: 1 to 24 of a-z and 0-9, a letter first.")
@click.option(
    "--authority",
    metavar="KEY",
    help="The public key (base64url) that signs the new chain's blocks; without it, one is made "
    "in the new folder under a passphrase.",
)
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default=ENGINES[0],
    show_default=True,
    help="Who orders the new chain's blocks: one authority, or the validators on which the old "
    "chain's operators have decided.",
)
@folder_option
@passphrase_option
@json_option
@click.pass_context
def export(
    ctx: click.Context,
    target: Path,
    name: str,
    authority: str | None,
    engine: str,
    folder: Path,
    passphrase_file: Path | None,
) -> None:
    """Write the folder of a new chain that goes on where the chain in FOLDER ends.

    Accounts, assets, rights, parameters and upgrades are those of the old chain's last block, and
    accounts keep their keys; the chain's name, id and authority are new. Its first block has the
    next height. Stop the old chain's node first, for good: both would go on from the same holdings.
    Give a copy without keys/ (and cometbft/) to every party, and let each check it with `tongbao
    genesis verify`.
    """
    from tongbao.sdk.genesis_export import check_names
    from tongbao.sdk.genesis_export import export as write

    network = engine == NETWORK
    if network and authority is not None:
        raise CommandError(
            "--authority is for --engine solo: a network has validators",
            "see `tongbao genesis export --help`",
        )
    try:
        check_names(name, authority)
    except GenesisError as error:
        raise CommandError(str(error), "see `tongbao genesis export --help`") from None
    is_asked = authority is None and not network
    secret = Passphrase(passphrase_file).new() if is_asked else None
    terminal = terminal_of(ctx)
    with terminal.progress() as progress:
        report = write(
            folder,
            target,
            name,
            authority=authority,
            passphrase=secret,
            network=network,
            progress=progress,
        )
    terminal.note(f"note: the old chain {report.origin} must not go on besides the new one")
    _tell(ctx, target, report, f"begins with {_what(report)}, in {target}")


@genesis.command(epilog="\b\nExample:\n  tongbao genesis verify network --trust old-trust.json")
@click.argument("target", metavar="DIR", type=FOLDER)
@click.option("--trust", type=FOLDER, help="The old chain's trust file, had out of band.")
@json_option
@click.pass_context
def verify(ctx: click.Context, target: Path, trust: Path | None) -> None:
    """Verify an exported folder: its genesis file, and every row that it begins with.

    Without --trust the old chain's keys are those of the genesis file in the folder: it is whole
    then, but whoever made it may have made that file too. What else is in the folder is named: it
    is no part of an export. Exit code 65: don't believe it.
    """
    from tongbao.sdk.genesis_export import check_export

    terminal = terminal_of(ctx)
    with terminal.progress() as progress:
        report = check_export(target, None if trust is None else read_file(trust), progress)
    if trust is None:
        terminal.note("note: the old chain's keys are those in the folder; give --trust FILE")
    whose = "whole by its own files" if trust is None else "verified"
    rest = f"; not looked at: {', '.join(report.others)}" if report.others else ""
    _tell(ctx, target, report, f"begins with {_what(report)}, {whose}{rest}")


def _what(report: ExportReport) -> str:
    return f"{count(report.rows, 'row')} of block {report.height} of {report.origin}"


def _tell(ctx: click.Context, target: Path, report: ExportReport, verdict: str) -> None:
    facts = {"folder": str(target)} | jcs.to_builtins(report)
    terminal_of(ctx).answer(facts, f"genesis: chain {report.chain} {verdict}")
