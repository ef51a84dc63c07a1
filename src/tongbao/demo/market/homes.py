"""What households do with their data: offer them, collect what sources leave, hand out copies.

All households of the story act in one process, each with its own keys; a person's own program is
`tongbao mydata`.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from msgspec import Struct

from tongbao.demo.egg_rows import EGGS as EGG_ROWS
from tongbao.demo.market.opening import Market, Tell, fields_of, sent
from tongbao.demo.market.parties import (
    DAY_MS,
    EGGS,
    KEEP_MS,
    PRODUCTS,
    RISK,
    STORE,
    USA,
    VIEW,
    Household,
    Party,
    history_price,
    month_price,
)
from tongbao.kernel import Address, Amount, Hash, Id, Time
from tongbao.modules import data
from tongbao.rights.at_rest import store_batch
from tongbao.rights.attestation import Method, read_attestation
from tongbao.rights.batch import Batch, commitment_of
from tongbao.rights.cells import Salt
from tongbao.rights.copies import copy_text
from tongbao.rights.delivered_batch import read_batch_parcel
from tongbao.rights.parcel import open_parcel, seal_parcel
from tongbao.rights.schema import Schema
from tongbao.sdk.data.agent_client import ServiceClient
from tongbao.sdk.data.consents import Consent, sign_consent
from tongbao.sdk.data.facts import all_of
from tongbao.sdk.data.store_client import StoreClient
from tongbao.sdk.exchange_keys import ledger_exchange_key

AT_ONCE: Final = 4
SALT_BYTES: Final = 16
OFFERS_AT_ONCE: Final = 100
DAILY_CAP: Final = data.DailyCap(1_000)
OFFER_MS: Final = 30 * DAY_MS


class Terms(Struct, frozen=True, kw_only=True):
    """What a household offers: a schema's fields for a purpose, from a price on."""

    schema: data.Schema
    fields: tuple[data.Field, ...]
    purpose: data.Purpose
    mode: data.Mode
    floor: Amount


class Collected(Struct, frozen=True, kw_only=True):
    """A month that a household has taken in, and its id on the ledger."""

    household: Household
    id: Id
    batch: Batch


class Place(Struct, frozen=True):
    """An agent: its account, where it is, and the key to write to."""

    account: Address
    url: str
    key: bytes


def egg_terms(number: int) -> tuple[Terms, ...]:
    """A month to be viewed for products, without what was paid; the history to assess risks."""
    names = fields_of(EGG_ROWS)
    month, history = month_price(number), history_price(number)
    return (
        Terms(schema=EGGS, fields=names[:3], purpose=PRODUCTS, mode=VIEW, floor=month),
        Terms(schema=EGGS, fields=names, purpose=RISK, mode=STORE, floor=history),
    )


def badminton_terms(number: int, schema: Schema) -> Terms:
    """A month of check-ins, to assess risks."""
    return Terms(
        schema=data.Schema(schema.name),
        fields=fields_of(schema),
        purpose=RISK,
        mode=STORE,
        floor=history_price(number),
    )


class Homes:
    """The households, between the store, their agent and the ledger."""

    def __init__(self, market: Market, store: str, agent: Place) -> None:
        """Keep data at this store; let this agent sell."""
        self.market = market
        self.store = store
        self.agent = agent

    def offer(
        self, offered: Sequence[tuple[Household, Sequence[Terms], Address | None]], tell: Tell
    ) -> dict[tuple[Address, data.Mode, data.Schema], Id]:
        """Make offers, each signed by as many members as it takes; their ids."""
        tell("offers", 0, len(offered))
        made: dict[tuple[Address, data.Mode, data.Schema], Id] = {}
        for start in range(0, len(offered), OFFERS_AT_ONCE):
            group = offered[start : start + OFFERS_AT_ONCE]
            transactions = [
                self.market.household_wallet(household).build(
                    *(self._offer(one, agent) for one in terms)
                )
                for household, terms, agent in group
            ]
            names = [
                (household.address, one.mode, one.schema)
                for household, terms, _ in group
                for one in terms
            ]
            made |= dict(zip(names, map(Id, sent(self.market.chain, transactions)), strict=True))
            tell("offers", start + len(group), len(offered))
        return made

    def _offer(self, terms: Terms, agent: Address | None) -> data.MakeOffer:
        return data.MakeOffer(
            schema=terms.schema,
            fields=terms.fields,
            purposes=(terms.purpose,),
            mode=terms.mode,
            regions=(USA,),
            retention_ms=data.Lasting(KEEP_MS),
            asset=self.market.usd,
            price=terms.floor,
            floor=terms.floor,
            daily_cap=DAILY_CAP,
            expires_at=Time(self.market.chain.now() + OFFER_MS),
            agent=agent,
        )

    def consent(
        self, households: Sequence[Household], source: Party, schema: Schema, method: Method,
        tell: Tell,
    ) -> dict[Household, bytes]:  # fmt: skip
        """Let a source attest months and leave them; each household signs that once."""
        tell("consents", 0, len(households))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._allow, households))
        signed = {one: self._consent(one, source, schema, method) for one in households}
        tell("consents", len(signed), len(signed))
        return signed

    def _allow(self, household: Household) -> None:
        with StoreClient(self.store, household.space) as store:
            store.allow_drop(household.drop)

    def _consent(
        self, household: Household, source: Party, schema: Schema, method: Method
    ) -> bytes:
        consent = Consent(
            account=household.address,
            chain=self.market.chain.id,
            drop=Hash(household.drop.hex()),
            ends=self.market.chain.now() + OFFER_MS,
            inbox=Hash(household.space.public_key.hex()),
            key=Hash(household.exchange_key.hex()),
            method=method,
            schema=schema.name,
            source=source.address,
            store=self.store,
            subject_salt=Salt(secrets.token_hex(SALT_BYTES)),
        )
        return sign_consent(household.keys[0], consent)

    def collect(
        self, households: Sequence[Household], selling: Collection[int], tell: Tell
    ) -> list[Collected]:
        """Take in what sources have left; the agent gets copies of those who are `selling`."""
        found: list[Collected] = []
        tell("collected", 0, len(households))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            each = pool.map(lambda one: self._collect(one, one.number in selling), households)
            for done, collected in enumerate(each, 1):
                found += collected
                tell("collected", done, len(households))
        return found

    def _collect(self, household: Household, sells: bool) -> list[Collected]:
        chain, found = self.market.chain, list[Collected]()
        known = {
            row.commitment: name
            for name, row in all_of(chain, data.batches_of, owner=household.address)
        }
        with (
            StoreClient(self.store, household.space) as store,
            ServiceClient(self.agent.url, household.keys[0], household.address) as agent,
        ):
            for waiting in list(store.inbox()):
                attestation, batch = self._opened(household, store.get_parcel(waiting.name))
                name = known[Hash(commitment_of(batch.header).hex())]
                self._keep(household, store, batch)
                if sells:
                    self._copy(household, agent, name, attestation, batch)
                store.delete_parcel(waiting.name)
                found.append(Collected(household=household, id=name, batch=batch))
        return found

    def _opened(self, household: Household, parcel: bytes) -> tuple[bytes, Batch]:
        """What a parcel brings, signed by the source that its header names."""
        opened = open_parcel("batch", household.exchange, parcel)
        attestation, batch = read_batch_parcel(opened.text)
        keys = {party.address: party.key.public_key for party in self.market.parties.values()}
        read_attestation(attestation, keys[batch.header.source])
        return attestation, batch

    def _keep(self, household: Household, store: StoreClient, batch: Batch) -> None:
        """At rest in the store, under a key that only the household can unwrap."""
        kept = store_batch(batch, household.owner_key)
        store.put_blob(kept.commitment.hex(), b"".join(kept.chunks))
        store.put_key(kept.commitment.hex(), kept.wrapped_key)

    def _copy(
        self,
        household: Household,
        agent: ServiceClient,
        name: Id,
        attestation: bytes,
        batch: Batch,
    ) -> None:
        """The agent gets a copy, which shows what is offered: here all that the source told."""
        fields = [str(field.name) for field in batch.schema.fields]
        text = copy_text(
            batch, fields, batch_id=name, owner=household.address, attestation=attestation
        )
        parcel = seal_parcel("copy", commitment_of(batch.header), self.agent.key, text)
        agent.ask("PUT", f"/v1/copies/{name}", content=parcel)


def place_of_agent(market: Market, label: str, url: str) -> Place:
    """The agent at an address, which states its key."""
    party = market.parties[label]
    with ServiceClient(url, party.key, party.address) as agent:
        statement = agent.key()
    key = ledger_exchange_key(market.chain, statement, party.address, market.chain.now())
    return Place(party.address, url, key)
