"""What is hashed to tie an order, a seal and a claim to documents that lie beside the ledger.

    request_hash   H("request", RFC 8785 form of the request), in the order
    grant_hash     H("grant", RFC 8785 form of the receipt), in Seal and Confirm
    evidence_hash  H("evidence", order, a, package_root), in Claim

A request is the terms as they will stand in the order, and a sentence to the person.
"""

from __future__ import annotations

from typing import Annotated, Final, NewType

import msgspec
from msgspec import Meta, Struct

from tongbao.kernel import jcs
from tongbao.kernel.amount import Amount
from tongbao.kernel.identifiers import Address, AssetId, ChainId, Time
from tongbao.modules.data.hashing import data_hash
from tongbao.modules.data.types import Batches, Fields, Mode, Purpose, Schema
from tongbao.rights.limits import KEY_BYTES, ORDER_BYTES, REQUEST_BYTES_LIMIT, WHY_LIMIT

# No line ends, no other controls, and nothing that turns the direction of what is shown after it.
_CONTROLS: Final = r"\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"

Why = NewType("Why", Annotated[str, Meta(pattern=rf"^[^{_CONTROLS}]{{1,{WHY_LIMIT}}}\Z")])
"""A sentence to the person, on one line."""


class BadRequest(ValueError):
    """A text is no request for data; the message says what is wrong."""


class DataRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a buyer asks an owner for, and why. Members are those of the order of that name."""

    asset: AssetId
    batches: Batches
    buyer: Address
    chain: ChainId
    delete_by: Time
    fee: Amount
    fields: Fields
    mode: Mode
    owner: Address
    price: Amount
    purpose: Purpose
    schema: Schema
    why: Why


_decoder = jcs.decoder(DataRequest)


def request_bytes(request: DataRequest) -> bytes:
    """What is sent to the agent, and hashed."""
    return jcs.encode(request)


def read_request(text: bytes) -> DataRequest:
    """The request of a text in its one spelling. Raises BadRequest."""
    if len(text) > REQUEST_BYTES_LIMIT:
        raise BadRequest(f"a request has at most {REQUEST_BYTES_LIMIT} bytes")
    try:
        request: DataRequest = jcs.decode_canonical(_decoder, text)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadRequest(f"no request for data: {error}") from None
    for name in ("batches", "fields"):
        words = getattr(request, name)
        if len(set(words)) != len(words):
            raise BadRequest(f"{name} names one twice")
    return request


def request_hash(request: DataRequest) -> bytes:
    """The 32 bytes by which an order names its request."""
    return data_hash("request", request_bytes(request))


def grant_hash(receipt: bytes) -> bytes:
    """The 32 bytes by which a seal and a confirmation name their receipt, given its bytes."""
    return data_hash("grant", receipt)


def evidence_hash(order: bytes, a: bytes, package_root: bytes) -> bytes:
    """The 32 bytes by which a claim names its evidence: the half `a`, and the package."""
    assert len(order) == ORDER_BYTES and len(a) == len(package_root) == KEY_BYTES
    return data_hash("evidence", order, a, package_root)
