"""`tongbao tx`: transactions as files and ids: sign, submit, try, show."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from tongbao.cli.chain_commands import (
    check_transaction_id,
    status_exit,
    status_facts,
    status_verdict,
)
from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.module_groups import installed
from tongbao.cli.options import (
    Passphrase,
    folder_option,
    json_option,
    node_option,
    out_option,
    passphrase_option,
    read_file,
    signers_option,
    terminal_of,
    write_file,
)
from tongbao.cli.sending import show_applied, show_dry_run
from tongbao.cli.session import Session
from tongbao.cli.terminal import count
from tongbao.cli.transaction_files import add_signatures, read_draft
from tongbao.engines.solo.header import read_header
from tongbao.kernel import jcs
from tongbao.kernel.envelope import decode_envelope, normalise, signing_input
from tongbao.kernel.transaction import id_of

FILE: Final = click.Path(path_type=Path, allow_dash=True)


@click.group(no_args_is_help=True)
def tx() -> None:
    """Sign, submit, try and show transactions.

    A payload is the RFC 8785 JSON that everybody signs; a transaction is a JWS over it. Every
    message command writes one with --out instead of sending it.
    """


@tx.command(epilog="\b\nExample:\n  tongbao tx submit payment.jws")
@click.argument("file", type=FILE)
@folder_option
@node_option
@passphrase_option
@json_option
@click.pass_context
def submit(
    ctx: click.Context, file: Path, folder: Path, node: str | None, passphrase_file: Path | None
) -> int:
    """Submit the signed transaction in FILE (- is standard input) and wait until it is durable.

    Any JWS serialization will do. One that a block holds already is not sent again: its outcome is
    told. The passphrase is the authority's, which signs the block; a node needs none.
    """
    terminal = terminal_of(ctx)
    wire = normalise(read_file(file))
    transaction_id = id_of(decode_envelope(wire).payload).hex()
    session = Session(folder, Passphrase(passphrase_file), node)
    with session.open(write=True) as chain:
        try:
            found = chain.status(transaction_id)
        except LookupError:  # a node that joined later does not know; sent twice, it happens once
            return show_applied(terminal, chain.submit(wire))
        if found.height is None:
            return show_applied(terminal, chain.submit(wire))
        facts = status_facts(chain, transaction_id, found)
    terminal.answer(facts, f"it happened before: {status_verdict(facts)}")
    return status_exit(found)


@tx.command(epilog="\b\nExample:\n  tongbao tx sign payment.json --key ben --out payment.jws")
@click.argument("file", metavar="PAYLOADFILE", type=FILE)
@click.option("--key", "keys", multiple=True, metavar="NAME", help="A key that signs; repeat.")
@signers_option
@out_option
@folder_option
@passphrase_option
@json_option
@click.pass_context
def sign(
    ctx: click.Context,
    file: Path,
    keys: tuple[str, ...],
    signers: tuple[str, ...],
    out: Path | None,
    folder: Path,
    passphrase_file: Path | None,
) -> None:
    """Sign the payload in PAYLOADFILE, or add signatures to the transaction in it.

    Says on standard error what is being signed. No chain is needed, only the keys of FOLDER/keys.
    """
    if not (keys or signers):
        raise CommandError("nobody signs", "name each key: --key NAME, or --signer ADDRESS")
    session = Session(folder, Passphrase(passphrase_file))
    draft = read_draft(file, installed())
    names = session.chosen_keys(keys)
    terminal = terminal_of(ctx)
    terminal.note(f"signing: {draft.payload.decode()}")
    with session.signing(names, signers) as signing:
        wire = add_signatures(
            draft,
            {each.key_id: each.sign(signing_input(each.key_id, draft.payload)) for each in signing},
        )
    found = id_of(draft.payload).hex()
    signatures = len(decode_envelope(wire).signatures)
    if out is not None:
        write_file(out, wire + b"\n")
        facts = {"id": found, "signatures": signatures, "file": str(out)}
        verdict = f"{count(signatures, 'signature')} in {out}; not sent: id {found}"
        terminal.answer(facts, verdict)
    elif terminal.json:
        terminal.answer({"id": found, "signatures": signatures, "transaction": wire.decode()}, "")
    else:
        terminal.answer({}, wire.decode())


@tx.command("dry-run", epilog="\b\nExample:\n  tongbao tx dry-run payment.json")
@click.argument("file", metavar="PAYLOADFILE", type=FILE)
@folder_option
@node_option
@json_option
@click.pass_context
def dry_run(ctx: click.Context, file: Path, folder: Path, node: str | None) -> int:
    """Say what the payload (or the transaction) in PAYLOADFILE would do now; send nothing.

    Signatures are not looked at.
    """
    draft = read_draft(file, installed())
    with Session(folder, node=node).open(write=False) as chain:
        return show_dry_run(terminal_of(ctx), chain.dry_run(draft.payload))


@tx.command(epilog=f"\b\nExample:\n  tongbao tx show {'5e' * 32}")
@click.argument("transaction_id", metavar="ID")
@folder_option
@node_option
@json_option
@click.pass_context
def show(ctx: click.Context, transaction_id: str, folder: Path, node: str | None) -> int:
    """Print exactly what was signed, who signed, the outcome and the events of transaction ID.

    Times are milliseconds UTC. The exit code is that of `tongbao status ID`.
    """
    check_transaction_id(transaction_id)
    with Session(folder, node=node).open(write=False) as chain:
        found = chain.status(transaction_id)
        if found.height is None or found.index is None:
            raise CommandError(
                f"no block holds a transaction {transaction_id}", "check the id", Exit.NOTHING
            )
        facts: dict[str, Any] = status_facts(chain, transaction_id, found)
        try:
            proof = chain.prove_transaction(transaction_id)
        except LookupError as error:
            raise CommandError(
                f"{status_verdict(facts)}, but what was signed is not here: {error}",
                getattr(error, "advice", ""),
                Exit.NOTHING,
            ) from error
        envelope = decode_envelope(proof.transaction.encode())
        receipt = chain.registry.receipt_decoder.decode(proof.receipt)
    facts["time"] = read_header(proof.header.encode())[0].time
    facts |= {
        "signed": envelope.payload.decode(),
        "signers": [signature.kid for signature in envelope.signatures],
        "made": list(receipt.ids),
        "events": jcs.to_builtins(receipt.events),
    }
    terminal_of(ctx).answer(facts, status_verdict(facts))
    return status_exit(found)
