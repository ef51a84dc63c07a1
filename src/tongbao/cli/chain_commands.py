"""`tongbao status`: where a chain is, and what became of a transaction."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.options import (
    folder_option,
    json_option,
    node_option,
    terminal_of,
)
from tongbao.cli.session import Session
from tongbao.kernel import jcs

if TYPE_CHECKING:
    from tongbao.cli.session import OpenChain
    from tongbao.sdk.client import Status

ID_DIGITS: Final = 64


def check_transaction_id(text: str) -> str:
    """A transaction's id. Raises CommandError."""
    if len(text) != ID_DIGITS or not set(text) <= set("0123456789abcdef"):
        raise CommandError(
            f"{text!r} is no transaction id", "an id is 64 hex digits in lower case, as `tx` prints"
        )
    return text


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
