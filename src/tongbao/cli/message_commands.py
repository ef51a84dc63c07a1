"""A command per message, derived from its declaration, and the options of all that send."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_type_hints

import click
import msgspec

from tongbao.cli import complete
from tongbao.cli.members import convert_all, example, given_values, help_of, kebab, members_of
from tongbao.cli.options import (
    Passphrase,
    folder_parameter,
    json_parameter,
    node_parameter,
    passphrase_parameter,
    signers_parameter,
    terminal_of,
)
from tongbao.cli.sending import Order, send
from tongbao.cli.session import Session
from tongbao.cli.values import Resolver
from tongbao.kernel import Message, Module
from tongbao.kernel.schema import wire_name_of
from tongbao.kernel.transaction import LANES_LIMIT


def signing_parameters() -> list[click.Parameter]:
    """Who sends, and what every transaction may say."""
    return [
        click.Option(
            ["--as", "sender"],
            default="operator",
            show_default=True,
            metavar="ACCOUNT",
            shell_complete=complete.accounts,
            help="The account that sends.",
        ),
        click.Option(
            ["--key", "keys"],
            multiple=True,
            metavar="NAME",
            shell_complete=complete.keys,
            help="A key that signs; repeat it for several. Default: the sender's.",
        ),
        signers_parameter(),
        click.Option(
            ["--sponsor"],
            metavar="ACCOUNT",
            shell_complete=complete.accounts,
            help="The account that answers for it.",
        ),
        click.Option(
            ["--lane"],
            type=click.IntRange(0, LANES_LIMIT - 1),
            default=0,
            show_default=True,
            help="The sender's lane of nonces.",
        ),
        click.Option(
            ["--tx-reference", "reference"],
            metavar="TEXT",
            help="The transaction's own reference, 1 to 35 of A-Z, a-z, 0-9 and -.",
        ),
        click.Option(
            ["--tx-expires", "expires"],
            default="+1h",
            show_default=True,
            metavar="TIME",
            help="When it can no longer happen: ms UTC, ISO 8601 or from now; at most +24h.",
        ),
    ]


def sending_parameters() -> list[click.Parameter]:
    """The options of every command that sends."""
    return [
        *signing_parameters(),
        click.Option(["--dry-run"], is_flag=True, help="Say what would happen; send nothing."),
        click.Option(
            ["--out"],
            type=click.Path(dir_okay=False, path_type=Path),
            help="Write the signed transaction to this file; send nothing.",
        ),
        click.Option(["--unsigned"], is_flag=True, help="With --out: write the bare payload."),
        folder_parameter(),
        node_parameter(),
        passphrase_parameter(),
        json_parameter(),
    ]


def order_of(options: dict[str, Any]) -> Order:
    """The order that the options of `sending_parameters` give."""
    return Order(**{name: options[name] for name in Order.__struct_fields__})


def message_command(module: Module, message: type[Message]) -> click.Command:
    """The command that sends one kind of message."""
    tag = wire_name_of(message)
    name = kebab(tag.partition(".")[2])
    shared = sending_parameters()
    required = {field.name: field.required for field in msgspec.structs.fields(message)}
    members = members_of(get_type_hints(message, include_extras=True), required, shared)

    def run(**options: Any) -> int:
        def make(resolver: Resolver) -> tuple[Message, ...]:
            given = given_values(resolver, members, options)
            return (convert_all(message, members, {"@type": tag} | given),)

        session = Session(
            options["folder"], Passphrase(options["passphrase_file"]), options["node"]
        )
        terminal = terminal_of(click.get_current_context())
        return send(terminal, session, order_of(options), make)

    meaning = help_of(message)
    if message.is_sensitive:
        meaning += "\n\nAsks for the sender's sensitive threshold."
    return click.Command(
        name,
        callback=run,
        params=[*(member.parameter() for member in members), *shared],
        help=meaning,
        epilog=example(f"{module.name} {name}", members, " --as alice"),
    )
