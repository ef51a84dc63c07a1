"""`tongbao proof`: files that convince somebody who trusts no node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from tongbao.cli import complete
from tongbao.cli.chain_commands import check_transaction_id
from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.module_groups import installed
from tongbao.cli.options import (
    folder_option,
    json_option,
    node_option,
    out_option,
    terminal_of,
    write_file,
)
from tongbao.cli.session import Session, remote
from tongbao.cli.terminal import count
from tongbao.cli.values import Resolver, form_of, read
from tongbao.kernel import jcs
from tongbao.kernel.module import Table
from tongbao.sdk.folder import Folder, trust_file
from tongbao.sdk.proofs import SoloTrust, TrustFile, to_json
from tongbao.sdk.verification import height_of


@click.group(no_args_is_help=True)
def proof() -> None:
    """Write proofs that need no trust in a node; `tongbao verify` checks them anywhere."""


@proof.command(
    epilog="\b\nExample:\n  tongbao proof row asset.holdings alice CNY.operator --out holding.proof"
)
@click.argument("table_name", metavar="TABLE", shell_complete=complete.tables)
@click.argument("parts", metavar="KEYPART...", nargs=-1, required=True)
@out_option
@folder_option
@node_option
@json_option
@click.pass_context
def row(
    ctx: click.Context,
    table_name: str,
    parts: tuple[str, ...],
    out: Path | None,
    folder: Path,
    node: str | None,
) -> None:
    """Prove a row of TABLE, such as asset.holdings, or that there is none.

    The parts of its key are given as its table has them: addresses or remembered names, assets as
    CODE or CODE.NAME, text, integers.
    """
    session = Session(folder, node=node)
    table = _table(table_name)
    # Once before the chain is opened, so that a wrong part is told at once.
    _key(session.resolver(), table, parts)
    with session.open(write=False) as chain:
        key = _key(session.resolver(), table, parts)
        found = chain.prove_row(table_name, key)
    height = height_of(found)
    what = bytes(found.value).decode() or "no such row"
    _give(ctx, to_json(found), out, {"height": height, "row": what}, f"at height {height}: {what}")


@proof.command(epilog=f"\b\nExample:\n  tongbao proof transaction {'5e' * 32} --out payment.proof")
@click.argument("transaction_id", metavar="ID")
@out_option
@folder_option
@node_option
@json_option
@click.pass_context
def transaction(
    ctx: click.Context, transaction_id: str, out: Path | None, folder: Path, node: str | None
) -> None:
    """Prove that transaction ID stands in its block, with what its receipt says."""
    check_transaction_id(transaction_id)
    with Session(folder, node=node).open(write=False) as chain:
        try:
            found = chain.prove_transaction(transaction_id)
        except LookupError as error:
            advice = getattr(error, "advice", "check the id")
            raise CommandError(str(error).strip("'\""), advice, Exit.NOTHING) from error
    _give(ctx, to_json(found), out, {"id": transaction_id}, f"transaction {transaction_id}")


@proof.command(epilog="\b\nExample:\n  tongbao proof trust --out trust.json")
@out_option
@click.option(
    "--newest",
    is_flag=True,
    help="Of a network: of its newest block, as your own running node tells it.",
)
@click.option(
    "--renew",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Of a network: of its newest block, by votes that follow from this trust file.",
)
@folder_option
@node_option
@json_option
@click.pass_context
def trust(
    ctx: click.Context,
    out: Path | None,
    newest: bool,
    renew: Path | None,
    folder: Path,
    node: str | None,
) -> None:
    """Write the trust file: the keys that may sign this chain's headers, or vote on them.

    Hand it over in a way that the receiver trusts; whoever forges it can forge every proof. That of
    a network is good for 14 days from its block on: without --newest and --renew it is of the
    genesis file.
    """
    if newest or renew or node:
        found = _asked(Session(folder, node=node), newest, renew)
    else:
        found = trust_file(Folder(folder).genesis())
    text = to_json(found)
    keys = list(found.keys)
    verb = "may sign headers" if isinstance(found, SoloTrust) else "may vote on headers"
    shown = msgspec.json.format(text) if out else text
    _give(ctx, shown, out, {"keys": keys}, f"{count(len(keys), 'key')} {verb}")


def _asked(session: Session, newest: bool, renew: Path | None) -> TrustFile:
    """What a node says, which is believed by a trust file, or because it is one's own."""
    if newest == (renew is not None):
        raise CommandError(
            "a node is asked for a trust file that follows from another, or for its own",
            "give --renew FILE, or, for your own node alone, --newest",
        )
    asked = session.node or session.served_at()
    if asked is None:
        raise CommandError(
            f"no node serves {session.folder.path} now",
            "start it with `tongbao run`, or give --node ADDRESS",
            Exit.NO_INPUT,
        )
    with remote(asked, renew) as chain:
        return chain.trust()


def _give(
    ctx: click.Context, text: bytes, out: Path | None, facts: dict[str, Any], claim: str
) -> None:
    """Write the file, or print its text, which is JSON already, as the only line."""
    terminal = terminal_of(ctx)
    if out is None:
        click.echo(text)
        return
    write_file(out, text + b"\n")
    terminal.answer({"file": str(out)} | facts, f"written to {out}: {claim}")


def _table(name: str) -> Table[Any, Any]:
    """The table of a name. Raises CommandError that lists the tables."""
    try:
        return installed().table(name)
    except KeyError:
        tables = installed().tables.values()
        known = ", ".join(sorted(f"{table.module.name}.{table.name}" for table in tables))
        raise CommandError(f"no table is named {name!r}", f"choose one of {known}") from None


def _key(resolver: Resolver, table: Table[Any, Any], parts: tuple[str, ...]) -> Any:
    """The row key that the parts say, each read by its type. Raises CommandError."""
    kinds = table.codec.kinds
    if len(parts) != len(kinds):
        raise CommandError(
            f"a key of {table.module.name}.{table.name} has {len(kinds)} parts, not {len(parts)}",
            f"give {', '.join(form_of(kind).metavar for kind in kinds)}",
        )
    values = tuple(_part(resolver, kind, text) for kind, text in zip(kinds, parts, strict=True))
    return values if table.codec.is_tuple else values[0]


def _part(resolver: Resolver, kind: Any, text: str) -> Any:
    try:
        return jcs.convert(read(resolver, kind, text), kind)
    except msgspec.ValidationError as error:
        raise CommandError(f"{text!r}: {error}", f"give {form_of(kind).help}") from error
