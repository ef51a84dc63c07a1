"""Making transactions: payloads, signatures, envelopes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tongbao.kernel import Address, ChainId, Message, Time, TransactionReference, jcs
from tongbao.kernel.envelope import assemble, combine, signing_input
from tongbao.kernel.transaction import Payload, id_of
from tongbao.sdk.signer import Signer


def payload_bytes(
    chain: ChainId,
    sender: Address,
    nonce: int,
    expires: Time,
    messages: tuple[Message, ...],
    *,
    lane: int = 0,
    sponsor: Address | None = None,
    reference: TransactionReference | None = None,
) -> bytes:
    """The RFC 8785 bytes that everybody signs. `expires` is ms UTC, at most a day ahead."""
    payload: Payload[Any] = Payload(
        chain=chain,
        sender=sender,
        nonce=nonce,
        expires=expires,
        messages=messages,
        lane=lane,
        sponsor=sponsor,
        reference=reference,
    )
    return jcs.encode(payload)


def transaction_id(payload: bytes) -> str:
    """The id in hex, known before anybody signs."""
    return id_of(payload).hex()


def sign(payload: bytes, signers: Iterable[Signer]) -> bytes:
    """The transaction in the ledger's spelling, signed by every signer."""
    signatures = {
        signer.key_id: signer.sign(signing_input(signer.key_id, payload)) for signer in signers
    }
    return assemble(payload, signatures)


__all__ = ["combine", "payload_bytes", "sign", "transaction_id"]
