"""`tongbao api-key`: who may call the node of a folder as a machine. No chain is opened."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.options import folder_option, json_option, terminal_of
from tongbao.cli.session import Session
from tongbao.cli.terminal import count

if TYPE_CHECKING:
    from tongbao.node.access.api_keys import ApiKey

SCOPES: Final = ("chain", "accounts", "ledger")
UNITS_MS: Final = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
LIFE: Final = re.compile(r"([1-9][0-9]{0,5})([mhd])\Z")
DEFAULT_LIFE: Final = "90d"
NS_PER_MS: Final = 1_000_000


@click.group("api-key", no_args_is_help=True)
def api_key() -> None:
    """Let machines call the node of FOLDER: make, list and revoke API keys.

    A key is 256 random bits, of which FOLDER/api-keys.json has a hash. A node that runs learns of a
    change within a second or two.
    """


@api_key.command(epilog="\b\nExample:\n  tongbao api-key make auditor --scope ledger --for 30d")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    default=("chain",),
    show_default=True,
    help="What it may read: what is nobody's alone, also every account's, or everything.",
)
@click.option("--account", help="An account, by name or address, whose own it may read besides.")
@click.option(
    "--for", "life", default=DEFAULT_LIFE, show_default=True, help="How long: 30m, 12h or 90d."
)
@click.option(
    "--rate",
    type=click.IntRange(1, 2**31),
    help="Requests and transactions a second; else the node's setting caller_rate_per_s.",
)
@folder_option
@json_option
@click.pass_context
def make(
    ctx: click.Context,
    name: str,
    scopes: tuple[str, ...],
    account: str | None,
    life: str,
    rate: int | None,
    folder: Path,
) -> None:
    """Make the API key NAME and print it: nobody can see it again."""
    from tongbao.node.access.api_keys import changing, new_key
    from tongbao.node.access.needs import Scope

    session = Session(folder)
    session.must_be_chain()
    whose = None if account is None else session.book.address(account)
    now = time.time_ns() // NS_PER_MS
    chosen = tuple(map(Scope, scopes))
    made, token = new_key(name, chosen, now, _milliseconds(life), whose, rate)
    with changing(folder) as keys:
        if any(key.name == name for key in keys):
            raise CommandError(
                f"there is an API key named {name} already",
                f"choose another name, or revoke it: `tongbao api-key revoke {name}`",
            )
        keys.append(made)
    terminal = terminal_of(ctx)
    terminal.note(f"API key {name} is good until {_day(made.ends)}; keep it like a passphrase")
    terminal.answer(_facts(made) | {"key": token}, token)


@api_key.command("list", epilog="\b\nExample:\n  tongbao api-key list")
@folder_option
@json_option
@click.pass_context
def list_keys(ctx: click.Context, folder: Path) -> None:
    """List all API keys, the oldest first; what they are is not kept, and so not shown."""
    from tongbao.node.access.api_keys import FILE, read_keys

    Session(folder).must_be_chain()
    keys = read_keys(folder / FILE)
    rows = [
        (key.name, key.id, " ".join(key.scopes), key.account or "", _day(key.ends)) for key in keys
    ]
    facts = {"keys": [_facts(key) for key in keys]}
    head = ("name", "id", "scopes", "account", "ends")
    terminal_of(ctx).table(facts, head, rows, count(len(rows), "API key"))


@api_key.command(epilog="\b\nExample:\n  tongbao api-key revoke auditor")
@click.argument("name")
@folder_option
@json_option
@click.pass_context
def revoke(ctx: click.Context, name: str, folder: Path) -> None:
    """Revoke the API key NAME (or of that id): it is refused within a second or two."""
    from tongbao.node.access.api_keys import changing

    Session(folder).must_be_chain()
    with changing(folder) as keys:
        gone = [key for key in keys if name in (key.name, key.id)]
        if not gone:
            raise CommandError(f"no API key is named {name!r}", "see `tongbao api-key list`")
        keys[:] = [key for key in keys if key not in gone]
    terminal_of(ctx).answer({"name": gone[0].name, "id": gone[0].id}, f"API key {name} is revoked")


def _milliseconds(life: str) -> int:
    """How long a text such as `90d` is. Raises CommandError."""
    found = LIFE.match(life)
    if found is None:
        raise CommandError(f"{life!r} is no time", "write 30m, 12h or 90d", Exit.USAGE)
    return int(found[1]) * UNITS_MS[found[2]]


def _day(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1_000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _facts(key: ApiKey) -> dict[str, object]:
    """What is told of a key; its hash is of no use to anybody."""
    return {
        "name": key.name,
        "id": key.id,
        "scopes": list(key.scopes),
        "account": key.account,
        "rate_per_s": key.rate_per_s,
        "made": key.made,
        "ends": key.ends,
    }
