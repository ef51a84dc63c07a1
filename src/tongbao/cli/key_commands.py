"""`tongbao keys`: the keystore of a folder. No chain is needed, and none is opened."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from tongbao.cli.book import check_name
from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.options import (
    NEW_PASSPHRASE_VARIABLE,
    Passphrase,
    folder_option,
    has_person,
    json_option,
    passphrase_option,
    read_file,
    terminal_of,
)
from tongbao.cli.session import Session, public_text
from tongbao.cli.terminal import count
from tongbao.kernel import InvalidTransaction
from tongbao.kernel.envelope import decode_base64url

if TYPE_CHECKING:
    from tongbao.sdk.keystore import Keystore

SEED_BYTES: Final = 32


@click.group(no_args_is_help=True)
def keys() -> None:
    """Make and keep the keys that sign: FOLDER/keys, one encrypted file each.

    A key's public half is 43 characters of base64url. Whoever has a key's file and its passphrase
    is its owner; nobody can bring back a lost one.
    """


@keys.command(epilog="\b\nExample:\n  tongbao keys create alice")
@click.argument("name")
@folder_option
@passphrase_option
@json_option
@click.pass_context
def create(ctx: click.Context, name: str, folder: Path, passphrase_file: Path | None) -> None:
    """Make the new Ed25519 key NAME."""
    check_name(name)
    keystore = Session(folder).keystore
    _must_be_free(keystore, name)
    key = keystore.create(name, Passphrase(passphrase_file).new())
    terminal_of(ctx).answer({"name": name, "public": key.key_id}, f"key {name} made")


@keys.command("list", epilog="\b\nExample:\n  tongbao keys list")
@folder_option
@json_option
@click.pass_context
def list_keys(ctx: click.Context, folder: Path) -> None:
    """List the names and public halves of all keys; asks for no passphrase."""
    keystore = Session(folder).keystore
    rows = [(name, public_text(keystore, name)) for name in keystore.names()]
    facts = {"keys": [{"name": name, "public": public} for name, public in rows]}
    terminal_of(ctx).table(facts, ("name", "public"), rows, count(len(rows), "key"))


@keys.command(epilog="\b\nExample:\n  tongbao keys show alice")
@click.argument("name")
@folder_option
@json_option
@click.pass_context
def show(ctx: click.Context, name: str, folder: Path) -> None:
    """Print the public half of key NAME, as `kid` in headers; asks for no passphrase."""
    public = Session(folder).public_key(name)
    facts = {"name": name, "algorithm": "Ed25519", "public": public}
    terminal_of(ctx).answer(facts, public)


@keys.command(
    epilog="\b\nExample:\n  tongbao keys signer 'pkcs11:token=bank;object=authority"
    "?module-path=/usr/lib/softhsm/libsofthsm2.so'"
)
@click.argument("address")
@json_option
@click.pass_context
def signer(ctx: click.Context, address: str) -> None:
    """Print the public half of the key that a signer at ADDRESS has, once it has signed a probe."""
    from tongbao.sdk.signers import open_signer

    opened = open_signer(address, os.environ)
    facts = {"algorithm": opened.algorithm, "public": opened.key_id}
    opened.close()
    terminal_of(ctx).answer(facts, opened.key_id)


@keys.command(epilog="\b\nExample:\n  tongbao keys node --folder my-node")
@folder_option
@json_option
@click.pass_context
def node(ctx: click.Context, folder: Path) -> None:
    """Print how a network knows this node; its keys are made if it has none.

    They lie unencrypted in FOLDER/cometbft/config, as CometBFT reads them, for their owner alone.
    """
    from tongbao.sdk.network import make_keys

    found = make_keys(folder)
    facts = {"node": found.node, "validator": found.validator}
    terminal_of(ctx).answer(facts, f"the node {found.node} votes with {found.validator}")


@keys.command("import", epilog="\b\nExample:\n  tongbao keys import alice --seed-file seed.hex")
@click.argument("name")
@click.option(
    "--seed-file",
    type=click.Path(path_type=Path),
    required=True,
    help="File with the 32 bytes of an Ed25519 seed: 64 hex digits, or 43 characters of base64url "
    "(the `d` of a JWK); - is standard input.",
)
@folder_option
@passphrase_option
@json_option
@click.pass_context
def import_key(
    ctx: click.Context, name: str, seed_file: Path, folder: Path, passphrase_file: Path | None
) -> None:
    """Keep a key that was made elsewhere under NAME."""
    check_name(name)
    seed = _read_seed(read_file(seed_file))
    keystore = Session(folder).keystore
    _must_be_free(keystore, name)
    keystore.store(name, seed, Passphrase(passphrase_file).new())
    facts = {"name": name, "public": public_text(keystore, name)}
    terminal_of(ctx).answer(facts, f"key {name} imported")


@keys.command(epilog="\b\nExample:\n  tongbao keys remove alice --yes")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Don't ask.")
@folder_option
@json_option
@click.pass_context
def remove(ctx: click.Context, name: str, yes: bool, folder: Path) -> None:
    """Remove key NAME for ever: nothing can bring it back."""
    session = Session(folder)
    public = session.public_key(name)
    if not yes:
        if not has_person():
            raise CommandError(f"key {name} would be lost for ever", "say so with --yes")
        click.confirm(f"Remove key {name} ({public}) for ever?", abort=True, err=True)
    session.keystore.remove(name)
    terminal_of(ctx).answer({"name": name, "public": public}, f"key {name} removed")


@keys.command(epilog="\b\nExample:\n  tongbao keys passphrase alice")
@click.argument("name")
@click.option(
    "--new-passphrase-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"File whose first line is the new passphrase; else ${NEW_PASSPHRASE_VARIABLE}, else you "
    "are asked.",
)
@folder_option
@passphrase_option
@json_option
@click.pass_context
def passphrase(
    ctx: click.Context,
    name: str,
    new_passphrase_file: Path | None,
    folder: Path,
    passphrase_file: Path | None,
) -> None:
    """Change the passphrase of key NAME. Old copies of its file still open with the old one."""
    session = Session(folder)
    public = session.public_key(name)
    old = Passphrase(passphrase_file).get()
    session.keystore.unlock(name, old)
    new = Passphrase(new_passphrase_file, NEW_PASSPHRASE_VARIABLE, "New passphrase").new()
    session.keystore.change_passphrase(name, old, new)
    facts = {"name": name, "public": public}
    terminal_of(ctx).answer(facts, f"key {name} has a new passphrase")


def _must_be_free(keystore: Keystore, name: str) -> None:
    if name in keystore.names():
        raise CommandError(
            f"there is a key named {name} already",
            f"choose another name, or see it with `tongbao keys show {name}`",
        )


def _read_seed(text: bytes) -> bytes:
    """The seed in a file. Raises CommandError, whose text never holds what was read."""
    words = text.strip()
    if re.fullmatch(b"[0-9a-fA-F]{64}", words):
        return bytes.fromhex(words.decode())
    try:
        seed = decode_base64url(words)
    except InvalidTransaction:
        seed = b""
    if len(seed) != SEED_BYTES:
        raise CommandError(
            "the file holds no Ed25519 seed",
            "write 64 hex digits, or 43 characters of base64url",
            Exit.WRONG,
        )
    return seed
