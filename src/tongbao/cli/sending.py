"""From a message to its outcome: build, sign, and submit, write down or only try."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.options import write_file
from tongbao.cli.session import Session
from tongbao.cli.terminal import Terminal
from tongbao.cli.values import Resolver
from tongbao.kernel import Message, Outcome, Time, TransactionReference, jcs

if TYPE_CHECKING:
    from tongbao.cli.session import OpenChain
    from tongbao.sdk.client import Applied, DryRun


class Order(Struct, frozen=True, kw_only=True):
    """How a message is to be sent, as options say. `expires` and the accounts are still text."""

    sender: str
    keys: tuple[str, ...] = ()
    signers: tuple[str, ...] = ()
    sponsor: str | None = None
    lane: int = 0
    reference: str | None = None
    expires: str = "+1h"
    dry_run: bool = False
    out: Path | None = None
    unsigned: bool = False


Make = Callable[[Resolver], tuple[Message, ...]]
"""Makes the messages out of what was typed; raises CommandError."""


def send(terminal: Terminal, session: Session, order: Order, make: Make) -> int:
    """Carry an order out and print what came of it; the exit code."""
    if order.unsigned and order.out is None:
        raise CommandError("--unsigned writes a file", "add --out FILE")
    session.must_be_chain()
    # Whatever names and values can tell by themselves, before anybody types a passphrase.
    make(session.resolver())
    _payload_options(session, order)
    needs_keys = not (order.dry_run or order.unsigned)
    names = session.key_names(order) if needs_keys else []
    writes = needs_keys and order.out is None
    with session.open(write=writes) as chain:
        messages = make(session.resolver())
        payload = build(session, chain, order, messages)
        if order.dry_run:
            return show_dry_run(terminal, chain.dry_run(payload))
        if order.unsigned:
            return _keep(terminal, order.out, payload, payload)
        transaction = sign_with(session, (names, order.signers), payload, messages)
        if order.out is not None:
            return _keep(terminal, order.out, transaction, payload)
        return show_applied(terminal, chain.submit(transaction))


def _payload_options(session: Session, order: Order) -> dict[str, Any]:
    """The members of a payload that options give. Raises CommandError."""
    options: dict[str, Any] = {
        "sender": session.book.address(order.sender),
        "expires": Time(session.resolver().time(order.expires)),
        "lane": order.lane,
    }
    if order.sponsor is not None:
        options["sponsor"] = session.book.address(order.sponsor)
    if order.reference is not None:
        options["reference"] = check(TransactionReference, order.reference, "--tx-reference")
    return options


def check(kind: Any, value: Any, option: str) -> Any:
    """A value that must be of a kernel's type. Raises CommandError."""
    import msgspec

    try:
        return jcs.convert(value, kind)
    except msgspec.ValidationError as error:
        raise CommandError(f"{option}: {error}", "see the option's line in --help") from error


def build(session: Session, chain: OpenChain, order: Order, messages: tuple[Message, ...]) -> bytes:
    """The payload with the next nonce of the sender's lane."""
    from tongbao.sdk.builder import payload_bytes

    options = _payload_options(session, order)
    nonce = chain.next_nonce(options["sender"], order.lane)
    return payload_bytes(chain.id, nonce=nonce, messages=messages, **options)


def sign_with(
    session: Session,
    by: tuple[list[str], tuple[str, ...]],
    payload: bytes,
    messages: tuple[Message, ...],
) -> bytes:
    """The transaction, signed by keys of these names, by the signers at these addresses, and by
    keys that the messages introduce.
    """
    from tongbao.sdk.builder import sign

    with session.signing(*by, messages) as signers:
        return sign(payload, signers)


def _keep(terminal: Terminal, path: Path | None, text: bytes, payload: bytes) -> int:
    from tongbao.sdk.builder import transaction_id

    assert path is not None
    write_file(path, text + b"\n")
    found = transaction_id(payload)
    what = "unsigned payload" if text == payload else "signed transaction"
    facts = {"id": found, "file": str(path), "payload": payload.decode()}
    terminal.answer(facts, f"{what} written to {path}; not sent: id {found}")
    return Exit.DONE


def show_applied(terminal: Terminal, applied: Applied) -> int:
    """Print the outcome of a transaction that happened."""
    facts: dict[str, Any] = {
        "outcome": "applied",
        "id": applied.id,
        "height": applied.height,
        "index": applied.index,
        "made": list(applied.receipt.ids),
        "events": jcs.to_builtins(applied.receipt.events),
    }
    terminal.answer(facts, f"applied in block {applied.height}: {applied.id}")
    return Exit.DONE


def show_dry_run(terminal: Terminal, found: DryRun) -> int:
    """Print what a payload would do."""
    is_good = found.outcome is Outcome.APPLIED
    facts: dict[str, Any] = {
        "outcome": found.outcome.value,
        "number": found.number,
        "why": found.why,
        "made": list(found.receipt.ids),
        "events": jcs.to_builtins(found.receipt.events),
    }
    verdict = "would be applied" if is_good else f"would be refused: {found.why}"
    terminal.answer(facts, f"dry run: {verdict}; nothing was sent")
    return Exit.DONE if is_good else Exit.REFUSED
