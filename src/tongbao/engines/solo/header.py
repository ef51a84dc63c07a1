"""The header of a solo block: what one authority signs, as a JWS that any JOSE library checks."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Final, Protocol

import msgspec

from tongbao.kernel import (
    ChainId,
    Count,
    Hash,
    InvalidTransaction,
    Time,
    Value,
    ed25519,
    jcs,
    merkle,
)
from tongbao.kernel.envelope import Signature, decode_compact, encode_base64url, signing_input

TYPE: Final = "tongbao-header+jws"
DOMAIN: Final = b"tongbao/header/1"


class HeaderError(Exception):
    """A header that is not one, or that nobody trusted has signed."""


class HeaderSigner(Protocol):
    """The authority's key, wherever it is kept."""

    @property
    def key_id(self) -> str:
        """The public key in base64url."""

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature of a message: 64 bytes."""


class Header(Value):
    """What a block commits to. Hashes are SHA-256 in hex; `previous` of block 0 is the genesis's.

    `transactions` and `receipts` are RFC 6962 roots over the wire bytes and the receipts.
    """

    chain: ChainId
    height: Count
    time: Time
    previous: Hash
    transactions: Hash
    receipts: Hash
    state: Hash


_decoder: msgspec.json.Decoder[Header] = jcs.decoder(Header)


def tree_root(leaves: Iterable[bytes]) -> Hash:
    """The RFC 6962 root in hex."""
    return Hash(merkle.root(list(leaves)).hex())


def header_hash(header: Header) -> Hash:
    """SHA-256("tongbao/header/1" || the header's RFC 8785 bytes), which the next one names."""
    return Hash(sha256(DOMAIN + jcs.encode(header)).hexdigest())


def sign_header(header: Header, signer: HeaderSigner) -> bytes:
    """The compact JWS of a header."""
    payload = jcs.encode(header)
    signed = signing_input(signer.key_id, payload, TYPE)
    return signed + b"." + encode_base64url(signer.sign(signed)).encode("ascii")


def decode_header(signed: bytes) -> tuple[Header, Signature]:
    """The header in a compact JWS, whose signature is not checked. Raises HeaderError."""
    try:
        payload, signature = decode_compact(signed, TYPE)
        return jcs.decode_canonical(_decoder, payload), signature
    except (InvalidTransaction, msgspec.DecodeError, ValueError) as error:
        raise HeaderError(f"not a signed header: {error}") from error


def read_header(signed: bytes) -> tuple[Header, str]:
    """The header in a compact JWS and the key that signed it; whether that key may is not asked.

    Raises HeaderError.
    """
    header, signature = decode_header(signed)
    if not ed25519.verify(signature.public_key, signature.signed, signature.signature):
        raise HeaderError("the header's signature is wrong")
    return header, signature.kid
