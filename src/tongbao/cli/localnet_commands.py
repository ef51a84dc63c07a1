"""`tongbao localnet`: a network of real nodes on this machine, in one command."""

from __future__ import annotations

import sys
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from tongbao.cli.options import json_option, json_parameter, terminal_of
from tongbao.cli.terminal import Terminal
from tongbao.localnet.stopping import told_to_stop

if TYPE_CHECKING:
    from tongbao.localnet.control import Done, Verb
    from tongbao.localnet.network import Network

DEFAULT_FOLDER: Final = "localnet"
REDRAW_SECONDS: Final = 1.0
VALIDATORS: Final = 4
VALIDATORS_LIMIT: Final = 16


def _folder_of(ctx: click.Context) -> Path:
    """The folder of the network, named before or after the subcommand."""
    folder = ctx.find_root().meta["tongbao.localnet.folder"]
    assert isinstance(folder, Path)
    return folder


def _keep_folder(ctx: click.Context, _: click.Parameter, value: Path | None) -> None:
    meta = ctx.find_root().meta
    if value is not None or "tongbao.localnet.folder" not in meta:
        meta["tongbao.localnet.folder"] = value or Path(DEFAULT_FOLDER)


folder_option = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="TONGBAO_LOCALNET",
    show_envvar=True,
    expose_value=False,
    is_eager=True,
    callback=_keep_folder,
    help=f"Folder of the network.  [default: {DEFAULT_FOLDER}]",
)


@click.group(
    invoke_without_command=True,
    epilog="\b\nExample:\n  tongbao localnet --validators 4\n"
    "  tongbao localnet kill node2      # in another terminal; then: revive node2",
)
@click.option(
    "--validators",
    type=click.IntRange(1, VALIDATORS_LIMIT),
    default=VALIDATORS,
    show_default=True,
    help="Validators of a new network; one that is there goes on as it is.",
)
@click.option("--name", default="localnet", show_default=True, help="Name of a new chain.")
@folder_option
@json_option
@click.pass_context
def localnet(ctx: click.Context, validators: int, name: str) -> None:
    """Run a network on this machine: real nodes, each with its CometBFT, until Ctrl-C.

    The first start makes folders, keys, genesis and ports; a later one goes on there. All keys are
    under one passphrase in FOLDER/localnet-secret: nothing of value belongs on this network.
    """
    if ctx.invoked_subcommand is not None:
        return
    from tongbao.localnet.control import Desk
    from tongbao.localnet.network import Network

    folder, terminal = _folder_of(ctx), terminal_of(ctx)
    stopping = threading.Event()
    with (
        told_to_stop(stopping) as ready,
        Network.open_or_begin(folder, validators, name, terminal.note) as network,
    ):
        ready.set()
        desk = Desk(folder, lambda order, tell: network.carry_out(order, tell, stopping.set))
        try:
            _show(network, stopping, terminal)
        finally:
            desk.close()
        terminal.note("stopping")
    verdict = f"stopped: `tongbao localnet --folder {folder}` goes on"
    terminal.answer({"folder": str(folder)}, verdict)


def _show(network: Network, stopping: threading.Event, terminal: Terminal) -> None:
    """The status table, redrawn; without a terminal a line whenever a node is otherwise."""
    from tongbao.localnet.board import COLUMNS

    terminal.note(f"{network.plan.chain}: Ctrl-C stops it; `tongbao localnet --help` has the rest")
    if not terminal.json and sys.stderr.isatty() and find_spec("rich") is not None:
        from tongbao.cli.rich_output import redrawn

        with redrawn(COLUMNS) as redraw:
            while not stopping.wait(REDRAW_SECONDS):
                redraw([seen.row() for seen in network.look()])
        return
    before: dict[str, str] = {}
    while not stopping.wait(REDRAW_SECONDS):
        for seen in network.look():
            if before.get(seen.node) != seen.state:
                before[seen.node] = seen.state
                terminal.note("  ".join(seen.row()))


def _ordered(ctx: click.Context, verb: Verb, name: str = "") -> Done:
    from tongbao.localnet.control import Order, give, stop_left_behind

    if verb == "stop" and (done := stop_left_behind(_folder_of(ctx))):
        return done
    return give(_folder_of(ctx), Order(verb=verb, name=name), terminal_of(ctx).note)


def _answer(ctx: click.Context, done: Done) -> None:
    terminal_of(ctx).answer(msgspec.json.decode(done.facts), done.text)


@localnet.command(epilog="\b\nExample:\n  tongbao localnet status")
@folder_option
@json_option
@click.pass_context
def status(ctx: click.Context) -> None:
    """Show every node: whether it is up, its voting power, height and root."""
    from tongbao.localnet.board import COLUMNS, Seen

    done = _ordered(ctx, "status")
    facts = msgspec.json.decode(done.facts, type=dict[str, list[Seen]])
    rows = [seen.row() for seen in facts["nodes"]]
    terminal_of(ctx).table(facts, COLUMNS, rows, done.text)


def _command(verb: Verb, meaning: str, *, is_named: bool) -> click.Command:
    """A subcommand that gives one order."""

    def run(name: str = "") -> None:
        ctx = click.get_current_context()
        _answer(ctx, _ordered(ctx, verb, name))

    example = f"\b\nExample:\n  tongbao localnet {verb}{' node2' if is_named else ''}"
    command = click.Command(verb, callback=run, help=meaning, epilog=example)
    if is_named:
        command.params.append(click.Argument(["name"]))
    command.params.append(json_parameter())
    return folder_option(command)


ORDERS: Final[tuple[tuple[Verb, str, bool], ...]] = (
    ("add", "Add a node, let it catch up, and make it a validator by votes.", True),
    ("remove", "Take a validator's power and its place as a peer by votes, and stop it.", True),
    ("kill", "Kill a node and its CometBFT, as a power cut does.", True),
    ("pause", "Let a node do nothing until it is revived.", True),
    ("revive", "Start a node that was killed, or let a paused one go on.", True),
    ("stop", "Stop the network that runs elsewhere; it can be started again.", False),
)
"""What can be asked of a running network: the order, its help, and whether it names a node."""

for _verb, _meaning, _is_named in ORDERS:
    localnet.add_command(_command(_verb, _meaning, is_named=_is_named))


@localnet.command(epilog="\b\nExample:\n  tongbao localnet wipe --yes")
@folder_option
@click.option("--yes", is_flag=True, help="Don't ask.")
@json_option
@click.pass_context
def wipe(ctx: click.Context, yes: bool) -> None:
    """Remove a network that does not run: its chain, its keys, everything in FOLDER."""
    from tongbao.localnet.network import wipe as remove

    folder = _folder_of(ctx)
    if not yes:
        click.confirm(f"Remove {folder} and everything in it?", abort=True, err=True)
    remove(folder)
    terminal_of(ctx).answer({"folder": str(folder)}, f"removed: {folder}")
