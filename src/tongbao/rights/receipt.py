"""The receipt of one grant: what both sides can show anybody, and what the seal signs the hash of.

It is a pure function of what stands on the ledger and of the request. Whoever reads one makes it
anew from its facts and compares all bytes: so nothing in it, the sentences included, can say
anything else than its facts.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tongbao.kernel import Address, ChainId, Id, jcs
from tongbao.modules.data import Enterprise, Offer, Order
from tongbao.rights.limits import RECEIPT_BYTES_LIMIT
from tongbao.rights.receipt_document import document_of, facts_of
from tongbao.rights.receipt_terms import LAST_TIME, Institution, Receipt
from tongbao.rights.requests import DataRequest, grant_hash, request_hash

__all__ = [
    "BadReceipt",
    "Institution",
    "Receipt",
    "ReceiptDiffers",
    "check_receipt",
    "make_receipt",
    "read_receipt",
    "receipt_bytes",
    "request_in",
]

ORDERED: Final = (
    "asset", "batches", "buyer", "delete_by", "fee", "fields", "mode", "owner", "price", "purpose",
    "schema",
)  # fmt: skip
"""What an order and its request both say."""

AGREED: Final = (*ORDERED, "deletion_bond", "request_hash")
"""What an order and its receipt both say."""


class BadReceipt(ValueError):
    """The bytes are no receipt, or none can be made of what was given; the text says why."""


class ReceiptDiffers(ValueError):
    """A receipt says something else than the order or the request; `members` are what differs."""

    def __init__(self, members: tuple[str, ...]) -> None:
        """Name what differs."""
        super().__init__(f"the receipt differs from what was agreed: {', '.join(members)}")
        self.members = members


def make_receipt(
    *,
    chain: ChainId,
    order_id: Id,
    order: Order,
    request: DataRequest,
    offer_id: Id,
    offer: Offer,
    enterprise: Enterprise,
    seller: Address,
    made_at: int,
    institution: Institution | None = None,
) -> bytes:
    """The receipt of an order that `seller` is about to seal by an offer, at a time in ms UTC.

    `enterprise` is the buyer's row, `institution` the member that its account acts for. Raises
    BadReceipt where a time is beyond the year 9999, ReceiptDiffers where the request is of other
    terms than the order.
    """
    asked = [name for name in ORDERED if getattr(request, name) != getattr(order, name)]
    if request.chain != chain:
        asked.append("chain")
    if request_hash(request) != bytes.fromhex(order.request_hash):
        asked.append("request_hash")
    if asked:
        raise ReceiptDiffers(tuple(asked))
    if not (0 <= order.delete_by <= LAST_TIME and 0 <= made_at <= LAST_TIME):
        raise BadReceipt("delete_by or the time lies after the year 9999")
    return receipt_bytes(
        Receipt(
            chain=chain,
            order=order_id,
            offer=offer_id,
            owner=order.owner,
            seller=seller,
            buyer=order.buyer,
            institution=institution,
            region=enterprise.region,
            schema=order.schema,
            fields=order.fields,
            batches=order.batches,
            purpose=order.purpose,
            why=request.why,
            mode=order.mode,
            asset=order.asset,
            price=order.price,
            fee=order.fee,
            deletion_bond=order.deletion_bond,
            retention_ms=offer.retention_ms,
            delete_by=order.delete_by,
            made_at=made_at,
            request_hash=order.request_hash,
        )
    )


def receipt_bytes(receipt: Receipt) -> bytes:
    """The one form of a receipt of these facts, in RFC 8785 form."""
    return jcs.encode(document_of(receipt))


def read_receipt(text: bytes) -> Receipt:
    """The facts of a receipt that is exactly what these facts make. Raises BadReceipt.

    Whether somebody has signed it, and whether the facts are those of an order, is not asked.
    """
    if len(text) > RECEIPT_BYTES_LIMIT:
        raise BadReceipt(f"longer than {RECEIPT_BYTES_LIMIT} bytes")
    try:
        document: Any = msgspec.json.decode(text)
        receipt = facts_of(document)
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadReceipt(f"no receipt: {error!s}") from None
    except RecursionError:
        raise BadReceipt("no receipt: nested too deeply") from None
    if receipt_bytes(receipt) != text:
        raise BadReceipt("says more, less or something else than its own facts make")
    return receipt


def check_receipt(text: bytes, order_id: Id, order: Order, request: DataRequest) -> Receipt:
    """A receipt that is of this order and request, and, once it is sealed, of its grant hash.

    A buyer checks it before it confirms, an owner whenever it likes. Raises BadReceipt,
    ReceiptDiffers.
    """
    receipt = read_receipt(text)
    found = [name for name in AGREED if getattr(receipt, name) != getattr(order, name)]
    if receipt.order != order_id:
        found.append("order")
    if request_in(receipt) != request:
        found.append("request")
    if order.seller is not None and receipt.seller != order.seller:
        found.append("seller")
    if order.offer is not None and receipt.offer != order.offer:
        found.append("offer")
    if order.grant_hash is not None and grant_hash(text) != bytes.fromhex(order.grant_hash):
        found.append("grant_hash")
    if found:
        raise ReceiptDiffers(tuple(found))
    return receipt


def request_in(receipt: Receipt) -> DataRequest:
    """The request that a receipt was made of: a receipt has all that it says. Raises BadReceipt."""
    shared = {name: getattr(receipt, name) for name in (*ORDERED, "chain", "why")}
    request = DataRequest(**shared)
    if request_hash(request) != bytes.fromhex(receipt.request_hash):
        raise BadReceipt("its request hash is of another request than it tells")
    return request
