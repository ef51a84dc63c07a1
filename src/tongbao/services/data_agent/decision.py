"""`decide`: whether an agent seals, as one pure function of what is asked and what is so.

The ledger checks most of this again, and is what counts. The agent checks first, since its seal is
the owner's consent, and checks what the ledger can't know: the request, and the copies.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from tongbao.kernel import Address, Amount, AssetId, Id, jcs
from tongbao.modules.data import Batch, Enterprise, Offer
from tongbao.services.data_agent.refusals import Refusal

DAY_MS: Final = 86_400_000
REQUEST_MS: Final = 7 * DAY_MS
"""How long a request may wait for its order."""


class Terms(Struct, frozen=True, kw_only=True):
    """What is asked for, by a request or by an order."""

    owner: Address
    buyer: Address
    schema: str
    fields: tuple[str, ...]
    purpose: str
    mode: str
    batches: tuple[Id, ...]
    asset: AssetId
    price: Amount
    fee: Amount
    delete_by: int


class OrderState(Struct, frozen=True, kw_only=True):
    """What only an order has. `requested` are the terms that were heard under its request's hash.

    `used` is whether another order was sealed for them. `deadline` is when it can be sealed no
    more, `bond` what the agent would have to secure, `free` what is free of its bond, in units.
    """

    requested: Terms | None
    heard_at: int
    used: bool
    deadline: int
    frozen_until: int | None
    bond: int
    free: int


class Facts(Struct, frozen=True, kw_only=True):
    """What is so now: on the ledger, and in the agent's folder. `copies` are batches to fields."""

    agent: Address
    time: int
    enterprise: Enterprise | None
    offers: Sequence[tuple[Id, Offer]]
    batches: Mapping[Id, Batch]
    copies: Mapping[Id, Collection[str]]
    state: OrderState | None = None


class Seal(Struct, frozen=True):
    """It is sealed by this offer."""

    offer: Id


class Refuse(Struct, frozen=True):
    """It is not sealed, for this reason."""

    why: Refusal


Decision = Seal | Refuse


def decide(terms: Terms, facts: Facts) -> Decision:
    """Whether an agent seals what is asked for, and by which offer; else the first rule broken.

    Without an order's state it is the answer to a request: what an order of it would get.
    """
    why = next(_broken(terms, facts), None)
    if why is not None:
        return Refuse(why)
    found = choose(terms, facts)
    if isinstance(found, Refuse):
        return found
    why = next(_unready(terms, facts), None)
    return found if why is None else Refuse(why)


def choose(terms: Terms, facts: Facts) -> Decision:
    """The cheapest to the buyer of the offers that cover it, else what the nearest one lacks."""
    nearest = Refusal.NO_OFFER
    for name, offer in sorted(facts.offers, key=lambda each: (each[1].floor.units, each[0])):
        why = next(_uncovered(terms, offer, facts), None)
        if why is None:
            return Seal(name)
        if why.number > nearest.number:
            nearest = why
    return Refuse(nearest)


def is_repeated(events: Iterable[Collection[str]]) -> bool:
    """Whether an event is told in two rows of what would be one package."""
    seen: set[str] = set()
    told = 0
    for each in events:
        told += len(each)
        seen.update(each)
    return len(seen) < told


def _broken(terms: Terms, facts: Facts) -> Iterator[Refusal]:
    """What of the buyer's standing forbids it."""
    enterprise = facts.enterprise
    if enterprise is None:
        yield Refusal.BUYER_IS_NOT_REGISTERED
        return
    if enterprise.suspended:
        yield Refusal.BUYER_IS_SUSPENDED
    if terms.purpose not in enterprise.purposes:
        yield Refusal.PURPOSE_IS_NOT_REGISTERED
    asks = {field for ask in enterprise.asks if ask.schema == terms.schema for field in ask.fields}
    if not terms.fields or not asks.issuperset(terms.fields):
        yield Refusal.FIELD_IS_NOT_REGISTERED


def _uncovered(terms: Terms, offer: Offer, facts: Facts) -> Iterator[Refusal]:
    """What an offer does not cover, nearest last."""
    assert facts.enterprise is not None
    mine = offer.owner == terms.owner and offer.agent == facts.agent
    if not mine or offer.schema != terms.schema:
        yield Refusal.NO_OFFER
    if facts.time >= offer.expires_at:
        yield Refusal.OFFER_HAS_EXPIRED
    if not set(terms.fields) <= set(offer.fields):
        yield Refusal.FIELD_IS_NOT_OFFERED
    if terms.purpose not in offer.purposes:
        yield Refusal.PURPOSE_IS_NOT_OFFERED
    if terms.mode != offer.mode:
        yield Refusal.MODE_IS_NOT_OFFERED
    if facts.enterprise.region not in offer.regions:
        yield Refusal.REGION_IS_NOT_OFFERED
    if terms.asset != offer.asset or terms.price.decimals != offer.floor.decimals:
        yield Refusal.ASSET_IS_NOT_OFFERED
    if terms.price.units < offer.floor.units or terms.price.units <= terms.fee.units:
        yield Refusal.PRICE_IS_TOO_LOW
    if terms.delete_by > facts.time + offer.retention_ms:
        yield Refusal.RETENTION_IS_TOO_LONG
    if offer.day == facts.time // DAY_MS and offer.used >= offer.daily_cap:
        yield Refusal.DAILY_CAP_IS_REACHED


def _unready(terms: Terms, facts: Facts) -> Iterator[Refusal]:
    """What is missing to seal it now: batches, copies, and what an order has besides."""
    if len(set(terms.batches)) != len(terms.batches) or not terms.batches:
        yield Refusal.BATCH_IS_NOT_SOLD
    for name in terms.batches:
        batch = facts.batches.get(name)
        fits = batch is not None and (batch.owner, batch.schema) == (terms.owner, terms.schema)
        if not fits or batch is None or batch.superseded or batch.retired:
            yield Refusal.BATCH_IS_NOT_SOLD
    if any(not set(terms.fields) <= set(facts.copies.get(name, ())) for name in terms.batches):
        yield Refusal.COPY_IS_MISSING
    if facts.state is not None:
        yield from _unsealable(terms, facts.state, facts.time)


def _unsealable(terms: Terms, state: OrderState, time: int) -> Iterator[Refusal]:
    """What forbids to seal an order."""
    if state.requested is None:
        yield Refusal.REQUEST_IS_UNKNOWN
    elif jcs.encode(state.requested) != jcs.encode(terms):
        yield Refusal.ORDER_DIFFERS
    elif state.used:
        yield Refusal.REQUEST_IS_USED
    elif time > state.heard_at + REQUEST_MS:
        yield Refusal.REQUEST_HAS_EXPIRED
    if time >= state.deadline:
        yield Refusal.TIME_IS_SHORT
    if state.frozen_until is not None and time < state.frozen_until:
        yield Refusal.ORDER_IS_FROZEN
    if state.free < state.bond:
        yield Refusal.BOND_IS_TOO_LOW
