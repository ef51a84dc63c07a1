"""What stands beside the derived commands of `account`: names, and the DID document."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tongbao.cli import complete
from tongbao.cli.book import check_name
from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.message_commands import order_of, sending_parameters
from tongbao.cli.options import Passphrase, folder_option, json_option, node_option, terminal_of
from tongbao.cli.sending import build, check, sign_with
from tongbao.cli.session import Session
from tongbao.cli.terminal import count
from tongbao.kernel import Address, Key, PublicKey, Small, WeightedKey, WeightedKeys, jcs
from tongbao.kernel.authentication import KEYS_LIMIT
from tongbao.kernel.transaction import LANES_LIMIT
from tongbao.modules import account
from tongbao.modules.account import did_document
from tongbao.modules.account.did import did_of

if TYPE_CHECKING:
    from tongbao.cli.session import OpenChain
    from tongbao.sdk.client import Applied

LEFT_OUT = {"out", "unsigned", "dry_run"}


def _create(**options: Any) -> int:
    name, with_keys = check_name(options["name"]), options["with_keys"]
    session = Session(options["folder"], Passphrase(options["passphrase_file"]), options["node"])
    session.must_be_chain()
    if name in session.book.names:
        raise CommandError(
            f"{name} is remembered already as {session.book.address(name)}", "choose another name"
        )
    key_names = list(dict.fromkeys(map(check_name, with_keys))) or [name]
    order = order_of(options | {"out": None, "unsigned": False, "dry_run": False})
    signing = (session.key_names(order), order.signers)
    with session.open(write=True) as chain:
        made = _make_keys(session, key_names)
        message = _opening(session, key_names, options)
        payload = build(session, chain, order, (message,))
        applied = chain.submit(sign_with(session, signing, payload, (message,)))
        session.book.remember(name, Address(applied.made))
    return _show_created(name, made, applied)


def _make_keys(session: Session, names: list[str]) -> list[str]:
    """Make those keys that are not there; a start that was cut short left some."""
    keystore = session.keystore
    present = keystore.names()
    missing = [name for name in names if name not in present]
    for name in missing:
        keystore.create(name, session.passphrase.get())
    return missing


def _opening(session: Session, names: list[str], options: dict[str, Any]) -> account.Open:
    publics = [PublicKey(session.public_key(name)) for name in names]
    keys = tuple(
        WeightedKey(key=Key(algorithm=Small(1), public=public), weight=Small(1))
        for public in publics
    )
    ordinary = options["ordinary"]
    return account.Open(
        keys=check(WeightedKeys, keys, "--with"),
        ordinary=Small(ordinary),
        sensitive=Small(options["sensitive"] or ordinary),
        lanes=Small(options["lanes"]),
    )


def _show_created(name: str, made: list[str], applied: Applied) -> int:
    terminal = terminal_of(click.get_current_context())
    facts = {
        "name": name,
        "address": applied.made,
        "keys_made": made,
        "id": applied.id,
        "height": applied.height,
    }
    terminal.answer(facts, f"account {name} is {applied.made}")
    return Exit.DONE


def _threshold(name: str, meaning: str, default: int | None) -> click.Option:
    bounds = click.IntRange(1, KEYS_LIMIT)
    return click.Option([name], type=bounds, default=default, show_default=True, help=meaning)


create = click.Command(
    "create",
    callback=_create,
    help="Make a key, open an account that it controls, and remember the account as NAME.\n\n"
    "The operator opens it unless --as says otherwise. With several --with keys the account needs "
    "--ordinary of them to sign; keys that are not in the keystore are made.",
    epilog="\b\nExample:\n  tongbao account create alice\n"
    "  tongbao account create treasury --with ann --with ben --with cleo --ordinary 2",
    params=[
        click.Argument(["name"]),
        click.Option(
            ["--with", "with_keys"],
            multiple=True,
            metavar="KEY",
            help="A key of the account, of weight 1; repeat it. Default: a key named NAME.",
        ),
        _threshold("--ordinary", "How many keys sign what is ordinary.", 1),
        _threshold("--sensitive", "How many sign what is sensitive. Default: as --ordinary.", None),
        click.Option(
            ["--lanes"],
            type=click.IntRange(1, LANES_LIMIT),
            default=1,
            show_default=True,
            help="Lanes of nonces.",
        ),
        *(each for each in sending_parameters() if each.name not in LEFT_OUT),
    ],
)


@click.command(epilog="\b\nExample:\n  tongbao account names")
@folder_option
@json_option
@click.pass_context
def names(ctx: click.Context, folder: Path) -> None:
    """List the accounts that this folder remembers by a name."""
    found = Session(folder).book.names
    terminal_of(ctx).table(
        {"accounts": found}, ("name", "address"), list(found.items()), count(len(found), "account")
    )


@click.command(epilog=f"\b\nExample:\n  tongbao account remember bob {'2f' * 20}")
@click.argument("name")
@click.argument("address")
@folder_option
@node_option
@json_option
@click.pass_context
def remember(ctx: click.Context, name: str, address: str, folder: Path, node: str | None) -> None:
    """Remember the account at ADDRESS as NAME in this folder; the ledger is not told."""
    session = Session(folder, node=node)
    check_name(name)
    found = session.book.address(address)
    with session.open(write=False) as chain:
        _must_exist(chain, found)
        session.book.remember(name, found)
    terminal_of(ctx).answer({"name": name, "address": found}, f"{name} is {found}")


@click.command(epilog="\b\nExample:\n  tongbao account did alice")
@click.argument("address", metavar="ACCOUNT", shell_complete=complete.accounts)
@folder_option
@node_option
@json_option
@click.pass_context
def did(ctx: click.Context, address: str, folder: Path, node: str | None) -> None:
    """Print the DID document of ACCOUNT (a name or an address): did:tongbao:<chain>:<id>."""
    session = Session(folder, node=node)
    found = session.book.address(address)
    with session.open(write=False) as chain:
        row = _must_exist(chain, found)
        document = did_document(chain.id, found, row)
        verdict = did_of(chain.id, found)
    terminal_of(ctx).document(jcs.to_builtins(document), verdict)


def _must_exist(chain: OpenChain, address: Address) -> account.Account:
    """The row of an account. Raises CommandError when there is none."""
    row = chain.query(account.show, address)
    if row is None:
        raise CommandError(
            f"no account has the address {address}", "check the address", Exit.NOTHING
        )
    return row
