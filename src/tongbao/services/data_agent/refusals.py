"""Why an agent does not sell: each rule has a number, which the requester and the owner are told.

Numbers are part of the protocol: append, never renumber. Up to 29 they are about what is asked,
from 30 on about an order on the ledger, from 50 on about a copy that an owner brings.
"""

from __future__ import annotations

from enum import Enum


class Refusal(Enum):
    """The rules of an agent, as `NAME = number, rule`."""

    REQUEST_IS_MALFORMED = 1, "a request has the members of the page, one purpose, known names"
    CHAIN_DIFFERS = 2, "a request is about this agent's chain"
    SENDER_IS_NOT_BUYER = 3, "the buyer of a request signs it"
    BUYER_IS_NOT_REGISTERED = 4, "a buyer is a registered enterprise"
    BUYER_IS_SUSPENDED = 5, "a buyer is not suspended"
    PURPOSE_IS_NOT_REGISTERED = 6, "a buyer asks for a purpose that it is registered for"
    FIELD_IS_NOT_REGISTERED = 7, "a buyer asks for fields that it is registered for"
    NO_OFFER = 8, "an offer of the owner's is of this schema and names this agent"
    OFFER_HAS_EXPIRED = 9, "an offer covers what is sealed before it expires"
    FIELD_IS_NOT_OFFERED = 10, "the fields are offered"
    PURPOSE_IS_NOT_OFFERED = 11, "the purpose is offered"
    MODE_IS_NOT_OFFERED = 12, "the mode is offered"
    REGION_IS_NOT_OFFERED = 13, "the buyer's region is offered"
    ASSET_IS_NOT_OFFERED = 14, "the price is in the offer's asset"
    PRICE_IS_TOO_LOW = 15, "the price is at least the offer's floor, and above the fee"
    RETENTION_IS_TOO_LONG = 16, "deletion is due within the offer's retention"
    DAILY_CAP_IS_REACHED = 17, "an offer grants at most its cap in a day"
    BATCH_IS_NOT_SOLD = 18, "the batches are the owner's, of the schema, each named once, and live"
    COPY_IS_MISSING = 19, "the agent has a copy of each batch with the fields open"
    EVENT_IS_REPEATED = 20, "no event is told twice in one package"
    TOO_MANY_REQUESTS = 21, "a buyer makes at most 100 new requests about an owner in a day"

    REQUEST_IS_UNKNOWN = 30, "an order is of a request that was heard before"
    ORDER_DIFFERS = 31, "an order has the terms of its request"
    TIME_IS_SHORT = 32, "an order that is to be sealed has time left"
    ORDER_IS_FROZEN = 33, "an order that is frozen waits"
    BOND_IS_TOO_LOW = 34, "the agent's own free bond covers what an order asks of it"
    REQUEST_IS_USED = 35, "a request is for one order"
    REQUEST_HAS_EXPIRED = 36, "an order follows its request within 7 days"
    SEAL_IS_TOO_LATE = 37, "a seal that can't happen any more is made anew"
    PACKAGE_CAN_NOT_BE_MADE = 38, "a package and its receipt are within the limits of the formats"

    OWNER_DIFFERS = 50, "the batch of a copy is the signer's"
    COPY_IS_WRONG = 51, "a copy gives the commitment that is on the ledger"
    COPY_SAYS_TOO_MUCH = 52, "no field is open that the owner's offers to this agent don't name"
    TOO_MANY_COPIES = 53, "an agent keeps so many copies of an owner's as it was told"

    @property
    def number(self) -> int:
        """The number that programs go by."""
        return self.value[0]

    @property
    def rule(self) -> str:
        """What was not kept, as a sentence of what is right."""
        return self.value[1]
