"""Small documents that a key of an account signs: compact JWS (RFC 7515) over RFC 8785 bytes.

Each kind has a `typ` of its own in the protected header: a signature is good for that kind alone.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec
from msgspec import Struct

from tongbao.kernel import InvalidTransaction, jcs
from tongbao.kernel.envelope import Signature, decode_compact, encode_base64url, signing_input
from tongbao.sdk.signer import Signer

Document = TypeVar("Document", bound=Struct)


class BadDocument(ValueError):
    """A text is no such document; it says why."""


def sign_document(signer: Signer, document: Struct, typ: str) -> bytes:
    """The compact JWS of a document."""
    signed = signing_input(signer.key_id, jcs.encode(document), typ)
    return signed + b"." + encode_base64url(signer.sign(signed)).encode("ascii")


def read_document(
    text: bytes, decoder: msgspec.json.Decoder[Document], typ: str, limit: int
) -> tuple[Document, Signature]:
    """The document in a text of at most `limit` bytes, and its signature, which is not checked.

    `decoder` is `jcs.decoder` of its type. Raises BadDocument.
    """
    if len(text) > limit:
        raise BadDocument(f"longer than {limit} bytes")
    try:
        payload, signature = decode_compact(text, typ)
    except InvalidTransaction as error:
        raise BadDocument(f"no compact JWS of type {typ}: {error}") from None
    try:
        return jcs.decode_canonical(decoder, payload), signature
    except (InvalidTransaction, msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadDocument(f"the payload is not one of type {typ}: {error}") from None
