"""`tongbao index`: how far the history of a chain is known, and making it anew from the log."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.options import folder_option, json_option, terminal_of
from tongbao.cli.terminal import count

if TYPE_CHECKING:
    from tongbao.sdk.beside import ChainBeside
    from tongbao.sdk.local import Chain

index_option = click.option(
    "--index",
    "setting",
    metavar="PLACE",
    default="sqlite",
    help="Where it is, as in `tongbao run`: `sqlite` in the folder, or postgresql://HOST/DATABASE.",
)
ADVICE: Final = "check the disk, or that the database can be reached"


@click.group(no_args_is_help=True)
def index() -> None:
    """The index of history: it holds nothing that the log does not."""


@index.command(epilog="\b\nExample:\n  tongbao index status")
@index_option
@folder_option
@json_option
@click.pass_context
def status(ctx: click.Context, setting: str, folder: Path) -> None:
    """Show which block the index has come to, and how many it lacks. A node may run."""
    from tongbao.index.address import place_of
    from tongbao.index.database import FAILURES
    from tongbao.index.reading import Reading

    with closing(_chain(folder)) as chain:
        height = chain.head().height
        try:
            with Reading.open(place_of(folder, setting), chain.id) as found:
                known, first = found.height, found.first
        except FAILURES as error:
            raise CommandError(
                f"the index can't be read: {error}",
                "run a node, or `tongbao index rebuild`: either makes it",
                Exit.NO_INPUT,
            ) from error
        lacks = max(height - known, 0)
        lines = chain.headers(known + 1, known + 1) if lacks else []
        lag_ms = max(0, chain.now() - lines[0].time) if lines else 0
    facts: dict[str, Any] = {
        "height": height,
        "index_height": known,
        "from_block": first,
        "lag_blocks": lacks,
        "lag_ms": lag_ms,
    }
    behind = f"{count(lacks, 'block')} behind" if lacks else "nothing lacks"
    terminal_of(ctx).answer(facts, f"index: block {known}, {behind}")


@index.command(epilog="\b\nExample:\n  tongbao index rebuild")
@click.option(
    "--continue",
    "goes_on",
    is_flag=True,
    help="Go on where an earlier run was interrupted, instead of from the beginning.",
)
@index_option
@folder_option
@json_option
@click.pass_context
def rebuild(ctx: click.Context, goes_on: bool, setting: str, folder: Path) -> None:
    """Make the index anew out of the log; what was there is set aside (in a database: emptied).

    No node may run on the folder. It may be interrupted at any time: `--continue` goes on from
    there, and so does a node.
    """
    from tongbao.engines.verifier import other_core
    from tongbao.index.address import place_of
    from tongbao.index.database import FAILURES
    from tongbao.index.feeder import Feeder
    from tongbao.index.history import Index
    from tongbao.sdk.opening import open_chain

    terminal = terminal_of(ctx)
    with open_chain(folder) as chain, terminal.progress() as progress:
        last = chain.head().height
        try:
            with Index.open(place_of(folder, setting), chain.id) as found:
                if not goes_on:
                    found.begin_anew()

                def fed(height: int) -> None:
                    progress("blocks", height + 1, last + 1)

                feeder = Feeder(found, chain, fed, elsewhere=other_core())
                feeder.feed()
                first = found.first
        except FAILURES as error:
            raise CommandError(f"the index can't be written: {error}", ADVICE, Exit.BUSY) from error
    facts = {"height": last, "from_block": first}
    terminal.answer(facts, f"index: made up to block {last}, from block {first} on")


def _chain(folder: Path) -> Chain | ChainBeside:
    """The chain of a folder to be read, also beside the node that has it open."""
    from tongbao.sdk.beside import open_beside
    from tongbao.sdk.opening import open_chain
    from tongbao.store.errors import FolderInUse

    try:
        return open_chain(folder)
    except FolderInUse:
        return open_beside(folder)
