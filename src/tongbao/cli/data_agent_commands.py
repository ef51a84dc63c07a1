"""`tongbao data-agent`: seal and reveal what owners have offered, with the keys of just that."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path
from typing import Any, Final

import click

from tongbao.cli.options import (
    API_KEY_VARIABLE,
    Passphrase,
    folder_option,
    json_option,
    node_option,
    passphrase_option,
    terminal_of,
)
from tongbao.cli.service_options import listen_options, tls_of
from tongbao.cli.session import Session, reach
from tongbao.cli.terminal import count
from tongbao.cli.watch_command import DEFAULT_NODE

PORT: Final = 8641
ADDRESS: Final = re.compile(r"[0-9a-f]{40}\Z")
agent_option = click.option(
    "--agent",
    type=click.Path(file_okay=False, path_type=Path),
    default="data-agent",
    show_default=True,
    help="Folder of the agent.",
)


def _address(ctx: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not ADDRESS.match(value):
        raise click.BadParameter("an account's address is 40 hex digits")
    return value


@click.group("data-agent", no_args_is_help=True)
def data_agent() -> None:
    """Seal and reveal what owners have offered, as their agent."""


@data_agent.command(
    epilog="\b\nExample:\n  tongbao data-agent init --account agent"
    " --node http://127.0.0.1:8632 \\\n      --store http://127.0.0.1:8640"
)
@agent_option
@click.option("--account", required=True, help="The agent's account, by name or address.")
@click.option("--key", help="Its key in the keystore; else the one named as the account is.")
@click.option("--store", required=True, metavar="URL", help="Data store for ciphertext.")
@folder_option
@node_option
@passphrase_option
@json_option
@click.pass_context
def init(ctx: click.Context, /, account: str, key: str | None, **given: Any) -> None:
    """Begin an agent in a folder of its own, with a copy of its account's key.

    The key is taken out of the keystore of FOLDER, and the passphrase is that of both.
    """
    from tongbao.services.data_agent.folder import Settings, create

    session = Session(given["folder"], Passphrase(given["passphrase_file"]), given["node"])
    address = session.book.address(account)
    name = key or next(iter(session.book.names_of(address)), account)
    signer = session.keystore.unlock(name, session.passphrase.get())
    node = given["node"] or session.served_at() or DEFAULT_NODE
    with reach(node, threading.Event().wait) as chain:
        settings = Settings(
            account=address,
            chain=chain.id,
            node=node if isinstance(node, str) else node.address,
            store=given["store"],
        )
    keys = create(given["agent"], settings, signer.seed, session.passphrase.get())
    facts = {"agent": str(given["agent"]), "account": address, "space": keys.space.public_key.hex()}
    verdict = f"the agent is in {given['agent']}; list its space at the store, and post its bond"
    terminal_of(ctx).answer(facts, verdict)


@data_agent.command(epilog="\b\nExample:\n  tongbao data-agent run --port 8641")
@agent_option
@listen_options(PORT)
@passphrase_option
@json_option
@click.pass_context
def run(ctx: click.Context, /, agent: Path, passphrase_file: Path | None, **given: Any) -> None:
    """Serve owners and buyers until Ctrl-C or SIGTERM; go on where it was at the next start."""
    from tongbao.services.data_agent.program import Listening, run_agent
    from tongbao.services.serving.logs import send_log

    passphrase = Passphrase(passphrase_file).get()
    send_log(given["log_level"])
    terminal = terminal_of(ctx)
    listening = Listening(
        host=given["host"],
        port=given["port"],
        tls=tls_of(given),
        origin=given["origin"],
        behind_tls_proxy=given["behind_tls_proxy"],
        api_key=os.environ.get(API_KEY_VARIABLE) or None,
    )

    def ready(url: str) -> None:
        terminal.note(f"the agent is served at {url}; Ctrl-C stops")

    run_agent(agent, passphrase, listening, ready)
    terminal.answer({"agent": str(agent)}, "stopped")


@data_agent.command(epilog="\b\nExample:\n  tongbao data-agent copies")
@agent_option
@json_option
@click.pass_context
def copies(ctx: click.Context, agent: Path) -> None:
    """List the copies that the agent has, and those that it destroyed."""
    from tongbao.services.data_agent.told import told_copies

    rows = told_copies(agent)
    names = ("batch", "owner", "fields", "at", "erased_at")
    cells = [(one.batch, one.owner, ",".join(one.fields), one.at, one.erased_at) for one in rows]
    facts = {"copies": [dict(zip(names, row, strict=True)) for row in cells]}
    there = sum(one.erased_at is None for one in rows)
    verdict = f"{count(there, 'copy')} there" if there == 1 else f"{there} copies there"
    terminal_of(ctx).table(facts, names, cells, verdict)


@data_agent.command(epilog="\b\nExample:\n  tongbao data-agent requests")
@agent_option
@click.option("--owner", metavar="ADDRESS", callback=_address, help="About this owner alone.")
@json_option
@click.pass_context
def requests(ctx: click.Context, agent: Path, owner: str | None) -> None:
    """List what was asked, what was refused too, and by which rule."""
    from tongbao.services.data_agent.told import told_requests

    names = ("at", "buyer", "owner", "hash", "refused", "rule")
    rows = told_requests(agent, owner)
    facts = {"requests": [dict(zip(names, row, strict=True)) for row in rows]}
    refused = sum(bool(row[4]) for row in rows)
    verdict = f"{count(len(rows), 'request')}, {refused} refused"
    terminal_of(ctx).table(facts, names, rows, verdict)


@data_agent.command(epilog="\b\nExample:\n  tongbao data-agent status")
@agent_option
@json_option
@click.pass_context
def status(ctx: click.Context, agent: Path) -> None:
    """How many orders are at which step, and how far the chain was followed."""
    from tongbao.services.data_agent.told import told_status

    facts = told_status(agent)
    steps = facts["orders"]
    verdict = ", ".join(f"{number} {step}" for step, number in steps.items()) or "no order yet"
    terminal_of(ctx).answer(facts, verdict)
