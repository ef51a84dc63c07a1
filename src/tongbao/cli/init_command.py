"""`tongbao init`: begin a chain in a new folder, or join a network that there is."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from click.core import ParameterSource

from tongbao.cli import complete
from tongbao.cli.book import FILE, OPERATOR, AccountBook
from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.options import (
    Passphrase,
    authority_option,
    folder_option,
    json_option,
    passphrase_option,
    read_file,
    terminal_of,
)
from tongbao.cli.session import Session
from tongbao.kernel import jcs
from tongbao.kernel.genesis import ChainName, Genesis

NETWORK: Final = "cometbft"
ENGINES: Final = ("solo", NETWORK)


@click.command(
    epilog="\b\nExample:\n  tongbao init --folder my-chain --name mybank\n"
    "  tongbao init --folder node --genesis genesis.json"
)
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
    "--genesis",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Join the network of this genesis file instead; nothing else of the chain is asked.",
)
@click.option(
    "--module",
    "modules",
    multiple=True,
    metavar="NAME",
    shell_complete=complete.modules,
    help="A module of somebody else's that decides on this chain too; repeat it.",
)
@authority_option
@folder_option
@passphrase_option
@json_option
@click.pass_context
def init(
    ctx: click.Context,
    name: str,
    engine: str,
    genesis: Path | None,
    modules: tuple[str, ...],
    signer: str | None,
    folder: Path,
    passphrase_file: Path | None,
) -> None:
    """Begin a chain in a new folder: genesis, two keys, block 0.

    The key `authority` signs blocks; the key `operator` controls the first account. Both are kept
    encrypted under one passphrase in FOLDER/keys. The chain has Tongbao's modules and those that
    --module names, whatever else is installed, now and later. With --signer no key `authority` is
    made: a token or a key service signs blocks.

    With --engine cometbft it is a network of one validator, this node, whose key lies unencrypted
    in FOLDER/cometbft/config; `tongbao run` begins it. With --genesis it is the folder of one more
    node, with keys of its own: its operators tell the others both public names.
    """
    from tongbao.sdk.announced import registry_with
    from tongbao.sdk.network_genesis import create_network

    if genesis is not None:
        _join(ctx, genesis, folder)
        return
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
    if signer is not None and engine == NETWORK:
        raise CommandError(
            "--signer is for a chain of the engine solo: validators vote on a network's blocks",
            "leave it out; docs/operate/validator-keys.md has a remote signer of votes",
        )
    registry_with(modules)  # said before anybody types a passphrase
    secret = Passphrase(passphrase_file).new()
    if engine == NETWORK:
        laid = create_network(folder, passphrase=secret, name=name, modules=modules)
        facts = _network_facts(laid, folder)
    else:
        facts = _begin(folder, secret, name, modules, signer)
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


def _begin(
    folder: Path, secret: str, name: str, modules: tuple[str, ...], signer: str | None
) -> dict[str, Any]:
    """Begin a solo chain, whose blocks a signer signs if one is named; what there is to tell."""
    from tongbao.sdk.opening import create_chain
    from tongbao.sdk.signers import open_signer

    with ExitStack() as to_close:
        authority = None
        if signer is not None:
            authority = open_signer(signer, os.environ)
            to_close.callback(authority.close)
        chain, wallet = create_chain(
            folder, passphrase=secret, name=name, modules=modules, authority=authority
        )
        to_close.enter_context(chain)
        key = chain.genesis.engine.keys[0]
        return {"chain": chain.id, "operator": wallet.address, "authority": key}


def _network_facts(genesis: Genesis, folder: Path) -> dict[str, Any]:
    """What there is to tell of a network of one validator."""
    from tongbao.kernel.genesis import chain_id
    from tongbao.sdk.genesis_builder import genesis_address
    from tongbao.sdk.network import keys_of

    keys = keys_of(folder)
    return {
        "chain": chain_id(genesis),
        "operator": genesis_address(0),
        "validator": keys.validator,
        "node": keys.node,
    }


def _join(ctx: click.Context, genesis: Path, folder: Path) -> None:
    """Lay out the folder of a node of a network that there is."""
    from tongbao.kernel.genesis import GenesisError, chain_id, read_genesis
    from tongbao.sdk.network import lay_out_node

    for name in ("name", "engine", "modules", "signer"):
        if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise CommandError(
                f"--{name.removesuffix('s')} is for a new chain: the genesis file says what this is"
            )
    try:
        found = read_genesis(read_file(genesis))
    except GenesisError as error:
        raise CommandError(
            f"{genesis}: {error}",
            f"get {genesis} anew from the network's operators, and change no byte of it",
            Exit.CONFIGURATION,
        ) from error
    if found.origin is not None:
        raise CommandError(
            f"the chain of {genesis} begins with rows of another, which must be in the folder",
            "copy the whole exported folder, then make this node's keys: tongbao keys node",
        )
    keys = lay_out_node(folder, found)
    terminal = terminal_of(ctx)
    terminal.note("tell the network's operators the node's id and, if it is to vote, its key")
    terminal.answer(
        {"chain": chain_id(found), "validator": keys.validator, "node": keys.node}
        | {"folder": str(folder)},
        f"a node of {chain_id(found)} laid out in {folder}",
    )
