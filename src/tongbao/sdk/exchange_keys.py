"""An X25519 key at which an account can be written to, signed by a key of the account.

Agents and panels answer it at `GET /v1/key`; people give theirs to sources: docs/data-services.md.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from tongbao.kernel import Address, ChainId, ed25519, jcs
from tongbao.kernel.envelope import Signature
from tongbao.kernel.identifiers import SAFE_INTEGER, Hash
from tongbao.rights.exchange_key import exchange_key_is_acceptable
from tongbao.sdk.client import Client
from tongbao.sdk.signed_documents import BadDocument, read_document, sign_document
from tongbao.sdk.signed_requests import account_has_key
from tongbao.sdk.signer import Signer

TYPE: Final = "tongbao-exchange-key+jws"
BYTES_LIMIT: Final = 2_048


class BadExchangeKey(ValueError):
    """A text brings no key that may be written to; it says why."""


class ExchangeKey(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is signed: `key` is 32 bytes in hex, good on `chain` for `account` until `ends`."""

    account: Address
    chain: ChainId
    ends: Annotated[int, Meta(ge=0, le=SAFE_INTEGER)]
    key: Hash


_decoder = jcs.decoder(ExchangeKey)


def sign_exchange_key(signer: Signer, account: str, chain: str, key: bytes, ends: int) -> bytes:
    """The compact JWS that says where an account can be written to, until `ends` (ms UTC).

    Raises BadExchangeKey for a key that is not taken.
    """
    if not exchange_key_is_acceptable(key):
        raise BadExchangeKey("the key is not one that may be written to: make another one")
    told = msgspec.convert(
        {"account": account, "chain": chain, "ends": ends, "key": key.hex()}, ExchangeKey
    )
    return sign_document(signer, told, TYPE)


def read_exchange_key(
    text: bytes, *, account: str, chain: str, now_ms: int
) -> tuple[ExchangeKey, Signature]:
    """The key of an account on a chain, and the valid signature of it. Raises BadExchangeKey.

    Whether the key that signed is the account's, the ledger says: `ledger_exchange_key` asks.
    """
    try:
        told, signature = read_document(text, _decoder, TYPE, BYTES_LIMIT)
    except BadDocument as error:
        raise BadExchangeKey(str(error)) from None
    if (told.account, told.chain) != (account, chain):
        raise BadExchangeKey("it is of another account or chain")
    if told.ends <= now_ms:
        raise BadExchangeKey("it has ended: ask for the one of now")
    if not exchange_key_is_acceptable(bytes.fromhex(told.key)):
        raise BadExchangeKey("the key is not one that may be written to")
    if not ed25519.verify(signature.public_key, signature.signed, signature.signature):
        raise BadExchangeKey("the signature is not valid")
    return told, signature


def ledger_exchange_key(client: Client, text: bytes, account: str, now_ms: int) -> bytes:
    """The 32 bytes to write to, signed by a key that the ledger has for the account now.

    Raises BadExchangeKey, and what the client raises.
    """
    told, signature = read_exchange_key(text, account=account, chain=client.id, now_ms=now_ms)
    if not account_has_key(client, account, signature.kid):
        raise BadExchangeKey("the key that signed it is not one of the account's")
    return bytes.fromhex(told.key)
