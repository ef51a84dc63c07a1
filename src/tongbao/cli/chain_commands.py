"""`tongbao init` and `tongbao status`: begin a chain, and ask where it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec
from click.core import ParameterSource

from tongbao.cli import complete
from tongbao.cli.book import FILE, OPERATOR, AccountBook
from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.options import (
    Passphrase,
    folder_option,
    json_option,
    node_option,
    passphrase_option,
    terminal_of,
)
from tongbao.cli.session import Session
from tongbao.kernel import jcs
from tongbao.kernel.genesis import ChainName

if TYPE_CHECKING:
    from tongbao.cli.session import OpenChain
    from tongbao.sdk.client import Status

ID_DIGITS: Final = 64
NETWORK: Final = "cometbft"
ENGINES: Final = ("solo", NETWORK)


def check_transaction_id(text: str) -> str:
    """A transaction's id. Raises CommandError."""
    if len(text) != ID_DIGITS or not set(text) <= set("0123456789abcdef"):
        raise CommandError(
            f"{text!r} is no transaction id", "an id is 64 hex digits in lower case, as `tx` prints"
        )
    return text


@click.command(epilog="\b\nExample:\n  tongbao init --folder my-chain --name mybank")
@click.option(
    "--name",
    default="demo",
    show_default=True,
    help="Name of the chain: 1 to 24 of a-z and 0-9, a letter first.",
)
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default=ENGINES[0],
    show_default=True,
    help="Who orders blocks: one authority (solo), or a network's validators (cometbft).",
)
@click.option(
    "--module",
    "modules",
    multiple=True,
    metavar="NAME",
    shell_complete=complete.modules,
    help="A module of somebody else's that decides on this chain too; repeat it.",
)
@folder_option
@passphrase_option
@json_option
@click.pass_context
def init(
    ctx: click.Context,
    name: str,
    engine: str,
    modules: tuple[str, ...],
    folder: Path,
    passphrase_file: Path | None,
) -> None:
    """Begin a chain in a new folder: genesis, two keys, block 0.

    The key `authority` signs blocks; the key `operator` controls the first account. Both are kept
    encrypted under one passphrase in FOLDER/keys. The chain has Tongbao's modules and those that
    --module names, whatever else is installed, now and later.

    With --engine cometbft it is a network of one validator, this node, whose key lies unencrypted
    in FOLDER/cometbft/config; `tongbao run` begins it.
    """
    from tongbao.sdk.announced import registry_with

    try:
        jcs.convert(name, ChainName)
    except msgspec.ValidationError:
        raise CommandError(
            f"--name: {name!r} can't name a chain", "use 1 to 24 of a-z and 0-9, a letter first"
        ) from None
    session = Session(folder)
    if session.folder.exists:
        raise CommandError(
            f"{folder} already holds a chain",
            f"use it (`tongbao status --folder {folder}`), or name another folder",
            Exit.NO_INPUT,
        )
    registry_with(modules)  # said before anybody types a passphrase
    secret = Passphrase(passphrase_file).new()
    begun = _begin_network if engine == NETWORK else _begin_solo
    facts = begun(session, secret, name, modules)
    facts |= {
        "folder": str(folder),
        "trust": str(session.folder.trust_file),
        "accounts": str(folder / FILE),
    }
    AccountBook(folder).remember(OPERATOR, facts["operator"])
    terminal = terminal_of(ctx)
    is_typed = ctx.get_parameter_source("folder") is ParameterSource.COMMANDLINE
    where = f" --folder {folder}" if is_typed else ""
    if engine == NETWORK:
        terminal.note(f"first, in a terminal of its own: tongbao run{where}")
    terminal.note(f"next: tongbao account create alice{where}")
    terminal.note(f"then: tongbao asset define --code CNY --scale 2{where}")
    terminal.answer(facts, f"chain {facts['chain']} begun in {folder}")


def _begin_solo(
    session: Session, secret: str, name: str, modules: tuple[str, ...]
) -> dict[str, Any]:
    """Begin a chain of one authority; what there is to tell of it."""
    from tongbao.sdk.opening import create_chain

    folder = session.folder.path
    chain, wallet = create_chain(folder, passphrase=secret, name=name, modules=modules)
    with chain:
        keys = chain.genesis.engine.keys
        return {"chain": chain.id, "operator": wallet.address, "authority": keys[0]}


def _begin_network(
    session: Session, secret: str, name: str, modules: tuple[str, ...]
) -> dict[str, Any]:
    """Lay out a network of one validator; what there is to tell of it."""
    from tongbao.kernel.genesis import chain_id
    from tongbao.sdk.genesis_builder import genesis_address
    from tongbao.sdk.network import keys_of
    from tongbao.sdk.network_genesis import create_network

    folder = session.folder.path
    genesis = create_network(folder, passphrase=secret, name=name, modules=modules)
    keys = keys_of(folder)
    return {
        "chain": chain_id(genesis),
        "operator": genesis_address(0),
        "validator": keys.validator,
        "node": keys.node,
    }


@click.command(epilog="\b\nExample:\n  tongbao status\n  tongbao status 5e...5e --expires +0s")
@click.argument("transaction_id", metavar="[ID]", required=False)
@click.option(
    "--expires",
    metavar="TIME",
    help="The transaction's `expires`: once the chain is past it, the answer is certain.",
)
@folder_option
@node_option
@json_option
@click.pass_context
def status(
    ctx: click.Context,
    transaction_id: str | None,
    expires: str | None,
    folder: Path,
    node: str | None,
) -> int:
    """Print the last block of the chain or, with ID, what became of a transaction.

    Times are milliseconds UTC. Exit code of an ID: 0 applied, 1 refused, 75 pending, 4 unknown, 3
    never (it has expired and did not happen).
    """
    session = Session(folder, node=node)
    terminal = terminal_of(ctx)
    deadline = None if expires is None else session.resolver().time(expires)
    if transaction_id is not None:
        check_transaction_id(transaction_id)
    with session.open(write=False) as chain:
        if transaction_id is None:
            head = chain.head()
            if node is None:
                session.note_foreign_trust()
            terminal.answer(jcs.to_builtins(head), f"height {head.height} of {head.chain}")
            return Exit.DONE
        found = chain.status(transaction_id, deadline)
        facts = status_facts(chain, transaction_id, found)
    terminal.answer(facts, status_verdict(facts))
    return status_exit(found)


def status_facts(chain: OpenChain, transaction_id: str, found: Status) -> dict[str, Any]:
    """What is known of a transaction, as members; `time` is the last block's, in ms UTC."""
    facts: dict[str, Any] = {
        "id": transaction_id,
        "state": "never" if found.never else found.state,
        "time": found.time,
    }
    if found.height is not None:
        facts |= {"height": found.height, "index": found.index, "number": found.number}
    if found.number:
        facts["why"] = str(chain.registry.reasons.get(found.number, "by a rule unknown here"))
    return facts


def status_verdict(facts: dict[str, Any]) -> str:
    """What is known of a transaction, in one line."""
    match facts["state"]:
        case "applied":
            return f"applied in block {facts['height']} at place {facts['index']}"
        case "refused":
            return f"refused in block {facts['height']}: {facts['why']}"
        case "pending":
            return "pending: it waits for its block"
        case "never":
            return "never: it has expired and did not happen"
    return "unknown: no block holds it; with --expires it can be certain that none ever will"


def status_exit(found: Status) -> Exit:
    """The exit code that agrees with a status."""
    if found.never:
        return Exit.INVALID
    codes = {"applied": Exit.DONE, "refused": Exit.REFUSED, "pending": Exit.BUSY}
    return codes.get(found.state, Exit.NOTHING)
