"""`tongbao mydata init`, `account`, `recovery`, `recover`, `move`: the folder and its keys."""

from __future__ import annotations

from pathlib import Path

import click

from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.mydata_options import folder_option, home_of
from tongbao.cli.options import (
    Passphrase,
    json_option,
    passphrase_option,
    read_file,
    terminal_of,
    trust_option,
    write_file,
)

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    epilog="\b\nExample:\n  tongbao mydata init --node http://127.0.0.1:8632 "
    "--store http://127.0.0.1:8641"
)
@click.option("--node", required=True, metavar="URL", help="A node of the chain.")
@click.option("--store", required=True, metavar="URL", help="The store that keeps ciphertext.")
@trust_option
@folder_option
@passphrase_option
@json_option
@click.pass_context
def init(
    ctx: click.Context,
    node: str,
    store: str,
    trust: Path | None,
    folder: Path,
    passphrase_file: Path | None,
) -> None:
    """Begin FOLDER: a root secret under your passphrase, from which all keys come.

    Write the recovery file next: without folder or file nobody can open the rows. Without --trust
    the node is believed, also where it says that rows were erased.
    """
    from tongbao.services.my_data.beginning import begin

    trusted = None if trust is None else read_file(trust)
    secret = Passphrase(passphrase_file).new()
    with begin(folder, secret, node, store, trust=trusted) as home:
        facts = _key_facts(home.notebook.account, home.keys.signer.key_id)
        facts |= {"space": home.keys.space.public_key.hex(), "chain": home.notebook.chain}
    terminal = terminal_of(ctx)
    terminal.note("next: `tongbao mydata recovery FILE`, and let an account be opened for the key")
    terminal.answer(facts, f"{folder} is a person's folder of {facts['chain']}")


def _key_facts(account: str | None, key: str) -> dict[str, str | None]:
    return {"account": account, "key": key}


@click.group(no_args_is_help=True)
def account() -> None:
    """Which account the folder is of. Somebody who has one opens it for the folder's key."""


@account.command(epilog="\b\nExample:\n  tongbao mydata account show")
@folder_option
@passphrase_option
@json_option
@click.pass_context
def show(ctx: click.Context, folder: Path, passphrase_file: Path | None) -> None:
    """Print the account, and the key to open one for."""
    with home_of(folder, passphrase_file) as home:
        facts = _key_facts(home.notebook.account, home.keys.signer.key_id)
    terminal_of(ctx).answer(facts, facts["account"] or "no account yet")


@account.command(
    "sign", epilog="\b\nExample:\n  tongbao mydata account sign opening.json --out opening.jws"
)
@click.argument("file", metavar="PAYLOADFILE", type=FILE)
@click.option("--out", type=FILE, required=True, help="The signed transaction.")
@folder_option
@passphrase_option
@json_option
@click.pass_context
def sign_opening(
    ctx: click.Context, file: Path, out: Path, folder: Path, passphrase_file: Path | None
) -> None:
    """Sign the opening of an account for the folder's key, and nothing else.

    The other made PAYLOADFILE by `tongbao account open ... --out FILE` (with --unsigned or
    without), and submits OUT.
    """
    from tongbao.cli.module_groups import installed
    from tongbao.cli.transaction_files import add_signatures, read_draft
    from tongbao.kernel.envelope import signing_input
    from tongbao.modules.account import Open

    draft = read_draft(file, installed())
    with home_of(folder, passphrase_file) as home:
        signer = home.keys.signer
        messages = draft.decoded.messages
        mine = all(
            isinstance(one, Open) and [entry.key.public for entry in one.keys] == [signer.key_id]
            for one in messages
        )
        if not mine or len(messages) != 1:
            raise CommandError(
                f"{file} does not just open an account for this folder's key alone",
                "let it be made with the key of `tongbao mydata account show`",
                Exit.WRONG,
            )
        signature = signer.sign(signing_input(signer.key_id, draft.payload))
        write_file(out, add_signatures(draft, {signer.key_id: signature}) + b"\n")
    terminal_of(ctx).answer({"file": str(out)}, f"signed; hand {out} to who submits it")


@account.command(epilog="\b\nExample:\n  tongbao mydata account use 3f...")
@click.argument("address")
@folder_option
@passphrase_option
@json_option
@click.pass_context
def use(ctx: click.Context, address: str, folder: Path, passphrase_file: Path | None) -> None:
    """Take ADDRESS, which has the folder's key, for the person's account."""
    from tongbao.sdk.http import HttpChain
    from tongbao.services.my_data.beginning import trust_of, use_account

    with (
        home_of(folder, passphrase_file) as home,
        HttpChain(home.notebook.node, trust=trust_of(home.notebook)) as chain,
    ):
        use_account(home, chain, address)
    terminal_of(ctx).answer({"account": address}, f"the folder is of {address}")


@click.command(epilog="\b\nExample:\n  tongbao mydata recovery recovery.json")
@click.argument("file", type=FILE)
@folder_option
@passphrase_option
@json_option
@click.pass_context
def recovery(ctx: click.Context, file: Path, folder: Path, passphrase_file: Path | None) -> None:
    """Write the recovery FILE, and print the code that opens it, once.

    Keep both apart and away from FOLDER: who has both has everything. Older files stay good.
    """
    from tongbao.sdk.folder import write_private
    from tongbao.services.my_data.beginning import recovery_file

    with home_of(folder, passphrase_file) as home:
        text, code = recovery_file(home)
    write_private(file, text)
    terminal = terminal_of(ctx)
    terminal.note("write the code on paper; nobody can tell it again")
    terminal.answer({"file": str(file), "code": code}, code)


@click.command(epilog="\b\nExample:\n  tongbao mydata recover recovery.json --folder new-folder")
@click.argument("file", type=FILE)
@click.option("--code-file", type=FILE, help="File whose first line is the code; else asked.")
@click.option("--account", "address", help="Only for a file from before there was an account.")
@folder_option
@passphrase_option
@json_option
@click.pass_context
def recover(
    ctx: click.Context,
    file: Path,
    code_file: Path | None,
    address: str | None,
    folder: Path,
    passphrase_file: Path | None,
) -> None:
    """Make the folder again from the recovery FILE and its code, under a new passphrase.

    Keys come from the file; what else there was comes from the store and the ledger.
    """
    from tongbao.services.my_data.beginning import recover as recover_folder
    from tongbao.services.my_data.collecting import collect

    code = Passphrase(code_file, "TONGBAO_RECOVERY_CODE", "Recovery code").get()
    passphrase = Passphrase(passphrase_file).new()
    with recover_folder(folder, passphrase, read_file(file), code, account=address) as person:
        if person.notebook.account is not None:
            collect(person)
        facts = _key_facts(person.notebook.account, person.keys.signer.key_id)
        count = len(person.notebook.batches)
    terminal_of(ctx).answer(facts | {"batches": count}, f"{folder} is there again")


@click.command(epilog="\b\nExample:\n  tongbao mydata move --node https://node.example")
@click.option("--node", metavar="URL", help="Another node of the same chain.")
@click.option("--store", metavar="URL", help="Where the store is now.")
@folder_option
@passphrase_option
@json_option
@click.pass_context
def move(
    ctx: click.Context,
    node: str | None,
    store: str | None,
    folder: Path,
    passphrase_file: Path | None,
) -> None:
    """Change the address of the node, or of the store when that has moved with all it has."""
    from tongbao.sdk.http import HttpChain
    from tongbao.services.my_data.beginning import trust_of

    with home_of(folder, passphrase_file) as home:
        before = home.notebook
        if node is not None:
            with HttpChain(node, trust=trust_of(before)) as chain:
                if chain.id != before.chain:
                    raise CommandError(f"{node} serves another chain", code=Exit.WRONG)
        changed = {"node": node or before.node, "store": store or before.store}
        home.note(**{name: url.rstrip("/") for name, url in changed.items()})
        facts = {"node": home.notebook.node, "store": home.notebook.store}
    terminal_of(ctx).answer(facts, f"{folder} asks {facts['node']} and {facts['store']}")
