"""`tongbao genesis part`, `assemble`: one genesis file out of what each institution brings."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from tongbao.cli.book import OPERATOR, AccountBook, check_name
from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.options import (
    Passphrase,
    check_signers,
    folder_option,
    json_option,
    passphrase_option,
    read_file,
    terminal_of,
    write_file,
)
from tongbao.cli.session import Session, public_text
from tongbao.cli.terminal import count
from tongbao.cli.values import time_of
from tongbao.kernel import GenesisError, jcs
from tongbao.kernel.genesis import ChainName, chain_id

if TYPE_CHECKING:
    from tongbao.sdk.genesis_parts import Part

FILE: Final = click.Path(dir_okay=False, path_type=Path)
LONGEST_DELAY_MS: Final = 30 * 24 * 3_600_000


@click.command(
    epilog="\b\nExample:\n  tongbao genesis part bank --folder my-node \\\n"
    "    --address node.bank.example:26656 --out bank.part\n"
    "  tongbao genesis part bank --check bank.part"
)
@click.argument("name")
@click.option("--out", type=FILE, help="File for the part: public keys alone, to be handed out.")
@click.option(
    "--address", metavar="HOST:PORT", help="Where the other nodes reach this one, in the part."
)
@click.option("--check", "given", type=FILE, help="Only print what a part of somebody says.")
@click.option(
    "--signer",
    metavar="ADDRESS",
    callback=check_signers,
    help="A token or key service that has the operator's key, `pkcs11:...` or `https://...`, in "
    "the place of a key `operator`.",
)
@click.option(
    "--without-operator",
    is_flag=True,
    help="One more node of an institution whose operator another part names.",
)
@folder_option
@passphrase_option
@json_option
@click.pass_context
def part(
    ctx: click.Context,
    name: str,
    out: Path | None,
    address: str | None,
    given: Path | None,
    signer: str | None,
    without_operator: bool,
    folder: Path,
    passphrase_file: Path | None,
) -> None:
    """Make the keys of a node that is to begin a network, and write the part that it brings.

    The node's two keys lie in FOLDER/cometbft/config. The key `operator`, encrypted under a
    passphrase in FOLDER/keys, controls the account with which the institution NAME votes. Keys that
    are there are used. Read the fingerprint out to the others; whoever gets the file compares it
    by --check.
    """
    from tongbao.sdk.genesis_parts import make_part, must_be_address, write_part
    from tongbao.sdk.network import make_keys

    check_name(name)
    if name == OPERATOR:
        raise CommandError(f"{OPERATOR} is what each calls its own", "name the institution")
    if given is not None:
        _show(ctx, _named(given, name))
        return
    if out is None or address is None:
        raise CommandError(
            "--out FILE and --address HOST:PORT belong to a part",
            f"give both, such as --out {name}.part --address node.{name}.example:26656",
        )
    if signer is not None and without_operator:
        raise CommandError("--signer is an operator's", "leave it or --without-operator out")
    if Session(folder).folder.exists:
        raise CommandError(
            f"{folder} already holds a chain", "name the folder of a new node", Exit.NO_INPUT
        )
    must_be_address(address)  # said before anybody types a passphrase
    operator = None if without_operator else _operator(folder, signer, Passphrase(passphrase_file))
    made = make_part(name, make_keys(folder), address, operator)
    write_file(out, write_part(made))
    _show(ctx, made)


def _operator(folder: Path, signer: str | None, passphrase: Passphrase) -> str:
    """The public half of the key that votes, which is made if nobody has it."""
    if signer is not None:
        from tongbao.sdk.signers import open_signer

        opened = open_signer(signer, os.environ)
        opened.close()
        return opened.key_id
    keystore = Session(folder).keystore
    if OPERATOR in keystore.names():
        return public_text(keystore, OPERATOR)
    return keystore.create(OPERATOR, passphrase.new()).key_id


def _read(path: Path) -> Part:
    """A part out of a file of somebody. Raises CommandError."""
    from tongbao.sdk.genesis_parts import read_part

    try:
        return read_part(read_file(path))
    except GenesisError as error:
        advice = "get it anew from whoever made it, and change no byte of it"
        raise CommandError(f"{path}: {error}", advice, Exit.WRONG) from error


def _named(path: Path, name: str) -> Part:
    found = _read(path)
    if found.name != name:
        raise CommandError(
            f"{path} is the part of {found.name}, not of {name}", "ask who sent it", Exit.WRONG
        )
    return found


def _show(ctx: click.Context, shown: Part) -> None:
    from tongbao.sdk.genesis_parts import fingerprint

    found = fingerprint(shown)
    facts = {name: value for name, value in jcs.to_builtins(shown).items() if name != "format"}
    terminal_of(ctx).answer(
        facts | {"fingerprint": found}, f"the part of {shown.name} has the fingerprint {found}"
    )


def _parameters(settings: tuple[str, ...]) -> dict[str, int]:
    """Parameters by their names. Raises CommandError for what is no `NAME=NUMBER`, or is twice."""
    found: dict[str, int] = {}
    for text in settings:
        name, _, value = text.partition("=")
        if re.fullmatch("[0-9]{1,16}", value) is None or name in found:
            raise CommandError(
                f"--parameter: {text!r} is not one NAME=NUMBER",
                "name each once; docs/reference/parameters.md lists them",
            )
        found[name] = int(value)
    return found


@click.command(
    epilog="\b\nExample:\n  tongbao genesis assemble bank.part clearing.part registry.part \\\n"
    "    --name settlement --time 2026-12-01T09:00:00Z --threshold 2 --folder my-node"
)
@click.argument("files", metavar="PART...", nargs=-1, required=True, type=FILE)
@click.option("--name", required=True, help="The chain's: 1 to 24 of a-z and 0-9, a letter first.")
@click.option(
    "--time",
    "moment",
    required=True,
    metavar="TIME",
    help="When the chain begins, on which all have agreed: such as 2026-12-01T09:00:00Z, or ms.",
)
@click.option(
    "--threshold",
    type=click.IntRange(min=1),
    required=True,
    help="How many of the parts' operators decide together.",
)
@click.option(
    "--delay-ms",
    type=click.IntRange(0, LONGEST_DELAY_MS),
    default=0,
    show_default=True,
    help="What passes between a decision and its carrying out.",
)
@click.option(
    "--parameter",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of genesis that is not to be the default, such as asset.freeze_ms=86400000; "
    "repeat it.",
)
@click.option(
    "--module",
    "modules",
    multiple=True,
    metavar="NAME",
    help="A module of somebody else's that decides on this chain too; repeat it.",
)
@folder_option
@json_option
@click.pass_context
def assemble(
    ctx: click.Context,
    files: tuple[Path, ...],
    name: str,
    moment: str,
    threshold: int,
    delay_ms: int,
    settings: tuple[str, ...],
    modules: tuple[str, ...],
    folder: Path,
) -> None:
    """Make the genesis of a network of all parts, and lay out FOLDER, where this node's keys are.

    Each institution does so by itself, with the same version, parts and options, and gets the same
    chain id: compare it in a call, and nobody has to believe anybody. The order of the parts
    changes nothing. Accounts are remembered by the parts' names, and this node's own as `operator`.
    `persistent_peers` is for the node's settings.
    Whoever comes later joins by `tongbao init --genesis`.
    """
    from tongbao.sdk.genesis_parts import accounts_of, begin_node, peers_of
    from tongbao.sdk.genesis_parts import assemble as build

    parts = [_read(path) for path in files]
    try:
        chain = jcs.convert(name, ChainName)
    except msgspec.ValidationError:
        raise CommandError(
            f"--name: {name!r} can't name a chain", "use 1 to 24 of a-z and 0-9, a letter first"
        ) from None
    if moment.startswith("+"):
        raise CommandError(
            f"--time: {moment} is another time for everybody",
            "agree on one, such as 2026-12-01T09:00:00Z",
        )
    made = build(
        parts,
        chain=chain,
        time=time_of(moment),
        threshold=threshold,
        delay_ms=delay_ms,
        modules=modules,
        parameters=_parameters(settings),
    )
    own = begin_node(folder, made, parts)
    accounts = accounts_of(parts)
    book = AccountBook(folder)
    if own.name in accounts:
        book.remember(OPERATOR, accounts[own.name])
    for each, address in accounts.items():
        book.remember(each, address)
    facts = {
        "chain": chain_id(made),
        "own": own.name,
        "operators": accounts,
        "persistent_peers": peers_of(own, parts),
    }
    terminal_of(ctx).answer(
        facts, f"chain {chain_id(made)} begins with {count(len(parts), 'node')}, in {folder}"
    )
