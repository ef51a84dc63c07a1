"""`tongbao dev`: what it prints, and how it ends."""

from __future__ import annotations

import signal
import tempfile
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Any

import click

from tongbao.cli import complete
from tongbao.cli.exits import Exit
from tongbao.cli.options import json_option, terminal_of
from tongbao.cli.terminal import Terminal, count, json_text
from tongbao.kernel import jcs


@click.command(
    epilog="\b\nExample:\n  tongbao dev\n  tongbao dev --module ./loyalty --folder my-dev-chain"
)
@click.option(
    "--module",
    "modules",
    multiple=True,
    metavar="FOLDER_OR_NAME",
    shell_complete=complete.modules,
    help="A module of yours to try: the folder of its project or package, or the name of one that "
    "is installed; repeat it. Its files are watched.",
)
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the chain in this folder, and go on with it. Default: a temporary one.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8632,
    show_default=True,
    help="Port to listen on, on this machine alone; 0 takes a free one.",
)
@json_option
@click.pass_context
def dev(ctx: click.Context, modules: tuple[str, ...], folder: Path | None, port: int) -> int:
    """Serve a throw-away chain with named accounts that have money, until Ctrl-C.

    When a file of a --module changes, the chain is played again from its log with the new code and
    goes on; what that changed is told. Code that can't be loaded is told too, and the code before
    goes on. Keys and their passphrase lie open in the folder: keep nothing of worth there. With
    --json each thing that happens is an object on a line of its own.
    """
    from tongbao.cli.dev.code import source_of
    from tongbao.cli.dev.supervisor import Supervisor
    from tongbao.node.server import address_of, listen_at
    from tongbao.node.settings import Settings

    terminal = terminal_of(ctx)
    sources = [source_of(text) for text in modules]
    with ExitStack() as resources:
        copies = Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="tongbao-code-")))
        is_kept = folder is not None
        place = folder or Path(
            resources.enter_context(tempfile.TemporaryDirectory(prefix="tongbao-dev-"))
        )
        listening = resources.enter_context(listen_at(Settings(port=port)))
        before = signal.signal(signal.SIGTERM, _as_ctrl_c)
        resources.callback(signal.signal, signal.SIGTERM, before)
        supervisor = Supervisor(place.resolve(), listening, sources, copies)
        resources.callback(supervisor.stop)
        try:
            ready = supervisor.begin()
            address = address_of(listening)
            _greet(terminal, ready, address, place, modules)
            while True:
                _tell(terminal, supervisor.edits(Event().wait))
        except KeyboardInterrupt:
            click.echo(err=True)  # behind the ^C of the terminal
    rest = f"the chain stays in {place}" if is_kept else "the chain is gone"
    _say(terminal, "stopped", {"folder": str(place), "kept": is_kept}, f"stopped; {rest}")
    return Exit.DONE


def _as_ctrl_c(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _greet(
    terminal: Terminal, ready: Any, address: str, folder: Path, modules: tuple[str, ...]
) -> None:
    """Who is there, where, and what to try."""
    if terminal.json:
        facts = {"event": "ready", "address": address, "folder": str(folder)}
        click.echo(json_text(facts | jcs.to_builtins(ready)))
        return
    rows = [(each.name, each.address, each.balance) for each in ready.people]
    title = f"chain {ready.chain} at height {ready.height} is served at {address}/v1"
    terminal.table({}, ("name", "address", "balance"), rows, title)
    for line in _to_try(address, folder, modules):
        click.echo(line)
    if ready.replayed is not None:
        click.echo(outcome_of(ready.replayed))


def _to_try(address: str, folder: Path, modules: tuple[str, ...]) -> list[str]:
    """Commands to copy into another terminal."""
    from tongbao.cli.dev.code import source_of

    place = folder.resolve()
    lines = ["", "try, in another terminal:", f"  export TONGBAO_FOLDER={place}"]
    folders = [str(Path(text).resolve()) for text in modules if Path(text).is_dir()]
    if folders:
        lines.append(f"  export TONGBAO_MODULES={':'.join(folders)}")
    lines += [
        "  tongbao asset transfer --asset CNY --amount 12.50 --payee shop --as alice",
        "  tongbao asset held-by --account shop",
        *(f"  tongbao {source_of(text).name} --help" for text in modules),
        "  tongbao watch",
        f"  curl {address}/v1",
        f"  curl -N {address}/v1/events",
        *([f"and look at {address}/"] if _has_pages(address) else []),
        "",
    ]
    watched = f"; edits of {', '.join(modules)} are loaded" if modules else ""
    return [*lines, f"Ctrl-C stops{watched}"]


def _has_pages(address: str) -> bool:
    """Whether the node shows pages to people, too."""
    import httpx2

    try:
        found = httpx2.get(f"{address}/", follow_redirects=True)
    except httpx2.HTTPError:
        return False
    return found.is_success and "html" in found.headers.get("content-type", "")


def _tell(terminal: Terminal, told: Any) -> None:
    """What came of an edit."""
    if told.failed is not None:
        trace = told.failed.trace
        facts = {"event": "failed", "error": told.failed.error, "trace": trace}
        text = f"{trace}not loaded: {told.failed.error}\nthe code before goes on"
        _say(terminal, "failed", facts, text)
        return
    replayed = told.ready.replayed
    text = "reloaded" if replayed is None else outcome_of(replayed)
    facts = {"height": told.ready.height, "replayed": jcs.to_builtins(replayed)}
    _say(terminal, "reloaded", facts, text)


def outcome_of(replayed: Any) -> str:
    """What a replay found, in one line, and a line for each of the first that changed."""
    what = f"reloaded: {count(replayed.transactions, 'transaction')} played again"
    if replayed.changed:
        lines = [f"{what}, {replayed.changed} with another outcome"]
        lines += [f"  {one.id[:16]}… was {one.before}, now {one.now}" for one in replayed.examples]
        return "\n".join(lines)
    same = "same root" if replayed.is_same_root else "same outcomes, another state root"
    return f"{what}: {same}"


def _say(terminal: Terminal, event: str, facts: dict[str, Any], text: str) -> None:
    """One happening: an object on a line, or text."""
    click.echo(json_text({"event": event} | facts) if terminal.json else text)
