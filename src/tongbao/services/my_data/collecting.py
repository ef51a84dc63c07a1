"""Taking what sources left: each parcel is checked, kept or refused, and the next one follows."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from msgspec import Struct

from tongbao.modules import data
from tongbao.rights.batch import Batch, commitment_of
from tongbao.rights.chunks import DoesNotOpen
from tongbao.rights.delivered_batch import read_batch_parcel
from tongbao.rights.parcel import BadParcel, open_parcel
from tongbao.services.my_data.consenting import forbid_old_drops
from tongbao.services.my_data.copies import Settled, settle_copies
from tongbao.services.my_data.delivery import (
    Delivery,
    Said,
    TwoAttestations,
    attested_by,
    check_delivery,
    on_ledger,
    refuse_repeats,
)
from tongbao.services.my_data.erasing import go_on_erasing
from tongbao.services.my_data.ledger import Owned, attesting_keys
from tongbao.services.my_data.notebook import WRONG_LIMIT, Holder, Kept, TwoContents, Wrong
from tongbao.services.my_data.person import Person
from tongbao.services.my_data.refusals import WAITS, NotTaken, Why
from tongbao.services.my_data.shelf import NotAtStore

PARCEL_BYTES_LIMIT: Final = 96 * 1024 * 1024
"""A batch at rest has at most 64 MiB, padded to 128; the rest of a parcel is small."""


class Corrected(Struct, frozen=True, kw_only=True):
    """A newer version of a month was taken; these buyers keep rows of an older one."""

    batch: str
    before: str
    holders: tuple[Holder, ...]


class Collected(Struct, kw_only=True):
    """What came of a visit to the inbox."""

    taken: list[Kept]
    refused: list[Wrong]
    waiting: list[Wrong]
    corrected: list[Corrected]
    gaps: list[tuple[str, str, str]]
    settled: Settled | None = None


def nothing() -> Collected:
    """What came of a visit before it has begun."""
    return Collected(taken=[], refused=[], waiting=[], corrected=[], gaps=[])


def collect(person: Person) -> Collected:
    """Take all parcels out of the inbox, then let agents and store be as the ledger says."""
    found = nothing()
    for name in sorted(person.shelf.inbox(), key=partial(_month, person)):
        _take_one(person, found, name, partial(person.shelf.parcel, name), inbox=True)
    tidy(person, found)
    return found


def _month(person: Person, name: str) -> tuple[str, str]:
    """What a parcel is sorted by: the older month is believed where two tell the same event."""
    try:
        header = read_delivery(person, person.shelf.parcel(name)).batch.header
    except NotTaken:
        return ("", name)
    return (header.period, name)


def receive(person: Person, file: Path) -> Collected:
    """Take one parcel out of a file."""
    found = nothing()
    with file.open("rb") as opened:
        parcel = opened.read(PARCEL_BYTES_LIMIT + 1)
    _take_one(person, found, file.name[:64], lambda: parcel, inbox=False)
    tidy(person, found)
    return found


def tidy(person: Person, found: Collected) -> None:
    """Go on with erasures, settle agents' copies, forbid old drops, and shelve the notebook."""
    owned = person.owned()
    adopt(person, owned)
    go_on_erasing(person, owned)
    found.settled = settle_copies(person, owned)
    found.gaps = owned.gaps()
    forbid_old_drops(person)
    person.put_notebook()


def adopt(person: Person, owned: Owned) -> None:
    """Note batches that ledger and store have and the notebook lacks: it came from a backup, or
    the program was killed between. Without its attestation a source's batch is kept, not sold.
    """
    names = [name for name in owned.batches if owned.is_live(name)]
    missing = [name for name in names if person.notebook.kept(name) is None]
    there = person.shelf.names() if missing else frozenset()
    for name in missing:
        row = owned.batches[name]
        if row.commitment not in there:
            continue
        try:
            batch = person.shelf.fetch(row.commitment)
            said = None if row.method == "self" else (row.version, row.method)
            keep(person, batch, said, None)
        except (DoesNotOpen, NotAtStore, NotTaken):
            continue


def _take_one(
    person: Person, found: Collected, name: str, get: Callable[[], bytes], *, inbox: bool
) -> None:
    try:
        found.taken.append(take(person, read_delivery(person, get()), found))
    except NotTaken as error:
        wrong = Wrong(at=person.now(), name=name, number=int(error.why), why=str(error))
        if inbox and error.why in WAITS:
            found.waiting.append(wrong)
            return
        found.refused.append(wrong)
        _note_wrong(person, wrong, error)
    if inbox:
        person.shelf.remove_parcel(name)


def _note_wrong(person: Person, wrong: Wrong, error: NotTaken) -> None:
    changes = {"wrong": (*person.notebook.wrong, wrong)[-WRONG_LIMIT:]}
    if isinstance(error, TwoAttestations):
        proof = TwoContents(
            first=error.first,
            second=error.second,
            found_at=wrong.at,
            period=error.attested.period,
            schema=error.attested.schema,
            source=error.attested.iss,
        )
        pairs = {(one.first, one.second) for one in person.notebook.proofs}
        if (proof.first, proof.second) not in pairs:
            person.home.note(**changes, proofs=(*person.notebook.proofs, proof))
            return
    person.home.note(**changes)


def read_delivery(person: Person, parcel: bytes) -> Delivery:
    """What a parcel brings. Raises NotTaken."""
    if len(parcel) > PARCEL_BYTES_LIMIT:
        raise NotTaken(Why.DOES_NOT_OPEN, "it is too long")
    try:
        opened = open_parcel("batch", person.keys.exchange_secret, parcel)
    except BadParcel as error:
        raise NotTaken(Why.DOES_NOT_OPEN, str(error)) from None
    try:
        attestation, batch = read_batch_parcel(opened.text)
    except ValueError as error:
        raise NotTaken(Why.IS_NO_BATCH, str(error)) from None
    return Delivery(attestation=attestation, batch=batch, context=opened.context)


def take(person: Person, delivery: Delivery, found: Collected | None = None) -> Kept:
    """Check a delivery and keep it at the store; the same again is no change. Raises NotTaken."""
    source = delivery.batch.header.source
    attested = attested_by(delivery.attestation, attesting_keys(person.chain, source))
    check_delivery(delivery, attested, person.notebook, person.now())
    said = attested.version, attested.method
    return keep(person, delivery.batch, said, delivery.attestation.decode("ascii"), found)


def keep(
    person: Person,
    batch: Batch,
    said: Said | None,
    attestation: str | None,
    found: Collected | None = None,
) -> Kept:
    """Hold a batch to the ledger and to the others, put it into the store, and note it."""
    owned = person.owned()
    name, row = on_ledger(batch, said, owned)
    kept = Kept(
        attestation=attestation,
        batch=name,
        commitment=commitment_of(batch.header).hex(),
        count=batch.header.count,
        method=row.method,
        period=batch.header.period,
        schema=batch.header.schema,
        source=batch.header.source,
        version=row.version,
    )
    refuse_repeats(batch, _other_months(person, owned, kept))
    person.shelf.keep(batch)
    if person.notebook.kept(name) is None:
        person.home.note(batches=(*person.notebook.batches, kept))
    if found is not None:
        found.corrected += corrected(owned, name, row)
    return kept


def corrected(owned: Owned, name: str, row: data.Batch) -> list[Corrected]:
    """Which buyers keep rows of the version that this one follows: they have to be told."""
    if row.supersedes is None:
        return []
    holders = holders_of(owned, frozenset(owned.month_of(name)) - {name})
    return [Corrected(batch=name, before=row.supersedes, holders=holders)]


def holders_of(owned: Owned, batches: frozenset[str]) -> tuple[Holder, ...]:
    """Who keeps rows of any of these batches, by a licence that has not ended."""
    return tuple(
        Holder(buyer=licence.buyer, delete_by=licence.delete_by, order=licence.order)
        for licence in owned.licences.values()
        if not batches.isdisjoint(owned.orders[licence.order].batches)
    )


def _other_months(person: Person, owned: Owned, kept: Kept) -> dict[str, Batch]:
    """The live batches of the same source about other months, which have the same events' key."""
    others: dict[str, Batch] = {}
    for one in person.notebook.batches:
        if one.source != kept.source or one.month == kept.month or not owned.is_live(one.batch):
            continue
        try:
            others[one.batch] = person.shelf.fetch(one.commitment)
        except (DoesNotOpen, NotAtStore):
            continue  # Told by `check`; another batch is not refused for it.
    return others
