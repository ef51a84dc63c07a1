"""`tongbao watch`: one line for each thing that happens on a chain, as it happens."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from tongbao.cli import complete
from tongbao.cli.book import AccountBook
from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.options import folder_option, json_option, node_option, terminal_of
from tongbao.cli.session import Session, remote
from tongbao.cli.terminal import count, json_text

if TYPE_CHECKING:
    from tongbao.sdk.answers import Happening

DEFAULT_NODE: Final = "http://127.0.0.1:8632"
MS: Final = 1_000
TYPE_MEMBER: Final = "@type"
BAD_REQUEST: Final = 400


@click.command(
    epilog="\b\nExample:\n  tongbao watch\n"
    "  tongbao watch --account alice --type asset.moved --json"
)
@click.option(
    "--account",
    metavar="ACCOUNT",
    shell_complete=complete.accounts,
    help="Only what mentions this account: a remembered name or an address.",
)
@click.option("--asset", metavar="ASSET", help="Only what mentions this asset: CODE.ISSUER.")
@click.option("--thing", metavar="ID", help="Only what mentions this id, such as a hold's.")
@click.option(
    "--type", "kind", metavar="NAME", help="Only this message or event, such as asset.moved."
)
@click.option(
    "--after", metavar="CURSOR", help="Begin after this happening (height.index). Default: now."
)
@click.option("--count", "limit", type=click.IntRange(min=1), help="End after so many.")
@folder_option
@node_option
@json_option
@click.pass_context
def watch(
    ctx: click.Context,
    account: str | None,
    asset: str | None,
    thing: str | None,
    kind: str | None,
    after: str | None,
    limit: int | None,
    folder: Path,
    node: str | None,
) -> int:
    """Show live what happens: a line each, or with --json a JSON object each.

    It asks --node, else a node that serves FOLDER here, else http://127.0.0.1:8632, and goes on
    where it was when the node starts again. Ctrl-C ends it. Accounts that FOLDER remembers are
    shown by their names.
    """
    session = Session(folder, node=node)
    book = session.book
    typed = {
        "account": None if account is None else book.address(account),
        "asset": None if asset is None else _asset(book, asset),
        "thing": thing,
        "type": kind,
    }
    filters = {name: value for name, value in typed.items() if value is not None}
    terminal = terminal_of(ctx)
    asked = node or session.served_at() or DEFAULT_NODE
    address = asked if isinstance(asked, str) else asked.address
    last, seen = after, 0
    with remote(asked) as chain:
        terminal.note(f"watching {chain.id} at {address}; Ctrl-C ends")
        try:
            for happening in islice(_following(chain, after, filters), limit):
                _show(json_text(happening) if terminal.json else line_of(happening, book))
                last, seen = happening.cursor, seen + 1
        except KeyboardInterrupt:
            click.echo(err=True)  # behind the ^C of the terminal
        except BrokenPipeError:
            # Whoever read this has enough. Python must not find the pipe again when it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return Exit.DONE
    verdict = f"watched {count(seen, 'happening')}"
    terminal.note(verdict if last is None else f"{verdict}; go on with --after {last}")
    return Exit.DONE


def _following(chain: Any, after: str | None, filters: dict[str, str]) -> Iterator[Happening]:
    """The happenings. Raises CommandError for what the node does not understand, NodeError."""
    from tongbao.sdk.errors import NodeError

    try:
        yield from chain.happenings(after, **filters)
    except (ValueError, NodeError) as error:
        if isinstance(error, NodeError) and error.problem.status != BAD_REQUEST:
            raise
        raise CommandError(f"the node refuses: {error}", "see `tongbao watch --help`") from error


def _show(line: str) -> None:
    """Print a line at once, also into a pipe."""
    click.echo(line)
    sys.stdout.flush()


def _asset(book: AccountBook, text: str) -> str:
    """`CODE.name` or `CODE.address`; a bare code would need the chain's rows."""
    code, dot, issuer = text.partition(".")
    if not dot:
        raise CommandError(f"{text!r} names no issuer", f"write {code}.NAME or {code}.ADDRESS")
    return f"{code}.{book.address(issuer)}"


def line_of(happening: Happening, book: AccountBook) -> str:
    """A happening on one line: time (UTC), cursor, outcome, sender, what was asked for."""
    known = reversed(book.names.items())  # of two names the first
    names: dict[str, str] = {address: name for name, address in known}
    moment = datetime.fromtimestamp(happening.time / MS, UTC).strftime("%H:%M:%S.%f")[:-3]
    if not happening.id:
        parts = ["due", *_events(happening, names)]
    else:
        outcome = f"refused {happening.number}" if happening.number else "applied"
        said = [msgspec.json.decode(message) for message in happening.messages]
        sender = names.get(happening.sender, happening.sender)
        parts = [outcome, sender, "; ".join(_spelled(message, names) for message in said)]
    return f"{moment}  {happening.cursor:<8}  {'  '.join(parts)}"


def _events(happening: Happening, names: dict[str, str]) -> list[str]:
    receipt = msgspec.json.decode(happening.receipt)
    return [_spelled(event, names) for event in receipt.get("events", ())]


def _spelled(said: dict[str, Any], names: dict[str, str]) -> str:
    """A message or event as `asset.transfer amount=12.50 ...`, in ASCII, whatever it holds."""
    members = [
        f"{name}={_value(value, names)}" for name, value in said.items() if name != TYPE_MEMBER
    ]
    return " ".join([str(said.get(TYPE_MEMBER, "?")), *members])


def _value(value: Any, names: dict[str, str]) -> str:
    """A value, accounts by their names; control characters of strangers are spelled out."""
    if not isinstance(value, str):
        return json_text(value).encode("ascii", "backslashreplace").decode()
    if value in names:
        return names[value]
    head, dot, tail = value.rpartition(".")
    if dot and tail in names:
        return f"{head}.{names[tail]}"
    return ascii(value)[1:-1]
