"""`tongbao webhooks`: post what happens to endpoints of others, and see to what they refused."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.options import folder_option, json_option, node_option, terminal_of
from tongbao.cli.session import Session, reach
from tongbao.cli.terminal import count
from tongbao.cli.watch_command import DEFAULT_NODE

if TYPE_CHECKING:
    from tongbao.node.webhooks.endpoints import Endpoint, Webhooks
    from tongbao.sdk.http import HttpChain

config_option = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="TOML file with the endpoints: see docs/operate/webhooks.md.",
)


@click.group(no_args_is_help=True)
def webhooks() -> None:
    """Post what happens on a chain to endpoints of others, signed and in order."""


@webhooks.command(epilog="\b\nExample:\n  tongbao webhooks run --config webhooks.toml")
@config_option
@folder_option
@node_option
@json_option
@click.pass_context
def run(ctx: click.Context, config: Path, folder: Path, node: str | None) -> None:
    """Post until Ctrl-C or SIGTERM; go on where it was at the next start.

    It asks --node, else a node that serves FOLDER here, else http://127.0.0.1:8632. How far each
    endpoint is, and what it refused, is kept in FOLDER/webhooks.
    """
    from tongbao.node.logs import configure_log
    from tongbao.node.settings import Settings
    from tongbao.node.webhooks.delivering import run_webhooks
    from tongbao.node.webhooks.endpoints import read_webhooks

    found = read_webhooks(config)
    configure_log(Settings())
    _must_be_there(folder)
    session = Session(folder)
    stop = threading.Event()

    def stopped(number: int, frame: FrameType | None) -> None:
        stop.set()

    terminal = terminal_of(ctx)
    before = {number: signal.signal(number, stopped) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        terminal.note(f"posting to {count(len(found.endpoint), 'endpoint')}; Ctrl-C stops")
        # Asked anew each time: a node that was started again lets in by another token.
        run_webhooks(
            folder,
            found,
            lambda: _of_folder(
                session, reach(node or session.served_at() or DEFAULT_NODE, stop.wait)
            ),
            stop,
        )
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    terminal.answer({"endpoints": len(found.endpoint)}, "stopped")


@webhooks.command("list", epilog="\b\nExample:\n  tongbao webhooks list --config webhooks.toml")
@config_option
@folder_option
@json_option
@click.pass_context
def list_letters(ctx: click.Context, config: Path, folder: Path) -> None:
    """List how far each endpoint is, and the dead letters: what it did not take, and why."""
    from tongbao.node.webhooks.endpoints import read_webhooks
    from tongbao.node.webhooks.kept import FOLDER, Kept

    rows = []
    cursors = {}
    found = read_webhooks(config)
    _must_be_there(folder)
    for one in found.endpoint:
        kept = Kept(folder / FOLDER, one.name)
        cursors[one.name] = kept.cursor
        rows += [(one.name, letter.cursor, letter.at, letter.why) for letter in kept.letters()]
    names = ("endpoint", "cursor", "at", "why")
    facts = {
        "cursors": cursors,
        "letters": [dict(zip(names, row, strict=True)) for row in rows],
    }
    texts = [tuple(map(str, row)) for row in rows]
    far = ", ".join(f"{name} {cursor or 'nothing yet'}" for name, cursor in cursors.items())
    verdict = f"{count(len(rows), 'dead letter')}; done with, up to: {far}"
    terminal_of(ctx).table(facts, names, texts, verdict)


@webhooks.command(epilog="\b\nExample:\n  tongbao webhooks resend desk --config webhooks.toml")
@click.argument("endpoint")
@config_option
@folder_option
@json_option
@click.pass_context
def resend(ctx: click.Context, endpoint: str, config: Path, folder: Path) -> int:
    """Post the dead letters of ENDPOINT once more, oldest first; those that are taken go.

    `webhooks run` may go on beside it.
    """
    from tongbao.node.webhooks.delivering import resend as send_again
    from tongbao.node.webhooks.endpoints import read_webhooks

    found = read_webhooks(config)
    _must_be_there(folder)
    taken, left = send_again(folder, found, _named(found, endpoint))
    facts = {
        "taken": taken,
        "left": [{"cursor": cursor, "why": why} for cursor, why in left],
    }
    verdict = f"{count(taken, 'letter')} taken, {len(left)} left"
    terminal_of(ctx).answer(facts, verdict)
    return Exit.BUSY if left else Exit.DONE


def _of_folder(session: Session, chain: HttpChain) -> HttpChain:
    """A chain that is the folder's, where that has one: a cursor is a place in it alone."""
    from tongbao.kernel.genesis import chain_id

    if session.folder.exists and chain.id != chain_id(session.folder.genesis()):
        chain.close()
        raise CommandError(
            f"the node serves {chain.id}, which is not the chain of {session.folder.path}",
            "start the folder's own node, or name one of its chain: --node",
            Exit.WRONG,
        )
    return chain


def _must_be_there(folder: Path) -> None:
    if not folder.is_dir():
        raise CommandError(f"there is no folder {folder}", "name one: --folder", Exit.NO_INPUT)


def _named(found: Webhooks, name: str) -> Endpoint:
    for one in found.endpoint:
        if one.name == name:
            return one
    names = ", ".join(one.name for one in found.endpoint)
    raise CommandError(f"there is no endpoint {name!r}", f"take one of: {names}")
