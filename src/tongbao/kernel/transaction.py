"""A transaction: what is signed, its id, and everything that can be judged without state."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any, Final, Generic, TypeVar

import msgspec
from msgspec import Meta, Struct

from tongbao.kernel import ed25519, jcs
from tongbao.kernel.envelope import Envelope, Signature, decode_envelope
from tongbao.kernel.identifiers import (
    SAFE_INTEGER,
    Address,
    ChainId,
    Time,
    TransactionReference,
)
from tongbao.kernel.reasons import Invalid, InvalidTransaction
from tongbao.kernel.schema import Message

M = TypeVar("M", bound=Message)

MESSAGES_LIMIT: Final = 256
LANES_LIMIT: Final = 16
ID_DOMAIN: Final = b"tongbao/tx/1"
ID_BYTES: Final = 32
"""The bytes of a transaction's id."""


class Payload(
    Struct,
    Generic[M],
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    gc=False,
):
    """The signed members of a transaction; all of its messages happen, or none."""

    chain: ChainId
    sender: Address
    nonce: Annotated[int, Meta(ge=1, le=SAFE_INTEGER)]
    expires: Time
    messages: Annotated[tuple[M, ...], Meta(min_length=1, max_length=MESSAGES_LIMIT)]
    lane: Annotated[int, Meta(ge=0, lt=LANES_LIMIT)] = 0
    sponsor: Address | None = None
    reference: TransactionReference | None = None


class Transaction(Struct, frozen=True, gc=False):
    """A decoded transaction; `kernel/intake.py` keeps those whose signatures were checked.

    `signers` are the kids in its headers, ascending by their keys' bytes, each once. `signatures`
    are there to be checked: there are none where another process has done that.
    """

    wire: bytes
    id: bytes
    payload: Payload[Any]
    signers: tuple[str, ...]
    signatures: tuple[Signature, ...]


def id_of(payload: bytes) -> bytes:
    """SHA-256("tongbao/tx/1" || payload bytes): known before the last one has signed."""
    return sha256(ID_DOMAIN + payload).digest()


def decode_payload(decoder: msgspec.json.Decoder[Any], text: bytes) -> Payload[Any]:
    """Read a payload that must be its own RFC 8785 form. Raises InvalidTransaction."""
    try:
        payload: Payload[Any] = decoder.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise InvalidTransaction(Invalid.PAYLOAD_IS_MALFORMED, str(error)) from error
    if jcs.encode(payload) != text:
        raise InvalidTransaction(Invalid.PAYLOAD_IS_NOT_CANONICAL)
    several = len(payload.messages) > 1
    if several and any(message.is_last for message in payload.messages[:-1]):
        raise InvalidTransaction(Invalid.MESSAGE_IS_NOT_LAST)
    return payload


def check_signatures(signatures: tuple[Signature, ...]) -> None:
    """Check every signature against the key that its header names. Raises InvalidTransaction."""
    for signature in signatures:
        if not ed25519.verify(signature.public_key, signature.signed, signature.signature):
            raise InvalidTransaction(Invalid.SIGNATURE_IS_WRONG)


def decode_transaction(
    decoder: msgspec.json.Decoder[Any], chain: ChainId, wire: bytes, bytes_limit: int
) -> tuple[Envelope, Payload[Any]]:
    """Everything about `wire` that needs neither state nor a signature check: cheap, so first."""
    if len(wire) > bytes_limit:
        raise InvalidTransaction(Invalid.TRANSACTION_IS_TOO_LARGE, f"{len(wire)} bytes")
    envelope = decode_envelope(wire)
    payload = decode_payload(decoder, envelope.payload)
    if payload.chain != chain:
        raise InvalidTransaction(Invalid.CHAIN_IS_ANOTHER, f"this chain is {chain}")
    return envelope, payload
