"""How what was attested gets to the customers: left at their store, or written as files.

A parcel is made once and is on disk before it leaves, so that one that was left twice is the same.
Who deletes the drop has withdrawn: nothing more is made for them, and their rows are forgotten.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Final, Protocol

from msgspec import Struct

from tongbao.rights.delivered_batch import batch_parcel_text
from tongbao.rights.parcel import seal_parcel
from tongbao.sdk.data.consents import Consent
from tongbao.sdk.folder import sync_folder
from tongbao.services.data_source.consents import (
    Held,
    consent_of_id,
    end_consent,
    end_expired,
)
from tongbao.services.data_source.monthly import Tell
from tongbao.services.data_source.source import Source
from tongbao.services.data_source.statements import (
    Name,
    Statement,
    Step,
    attestation_of,
    batch_of,
    change,
    statement_of,
    waiting,
)

GROUP: Final = 16
"""Parcels that are made, kept and left together: usually a megabyte, at most 256."""
PARALLEL: Final = 4
ID_DIGITS: Final = 16


class Withdrawn(Exception):
    """The store says that the person lets no more be left."""


class NotLeft(Exception):
    """The store did not take a parcel now; the text says why, `is_away` that it takes none."""

    def __init__(self, why: str, *, is_away: bool) -> None:
        """Carry both."""
        super().__init__(why)
        self.is_away = is_away


class Leaves(Protocol):
    """What leaves parcels at stores; threads share it."""

    def __call__(self, consent: Consent, parcel: bytes) -> None:
        """Leave a parcel where a consent says. Raises Withdrawn, NotLeft."""


class Delivery(Struct, kw_only=True):
    """What a run came to. `elsewhere` are of stores that this source does not talk to."""

    delivered: int = 0
    withdrawn: int = 0
    ended: int = 0
    elsewhere: int = 0
    failed: dict[str, str] = {}
    """Why a store took nothing, or not all, by its address."""
    away: set[str] = set()
    """Stores that are not asked again in this run."""
    undone: int = 0


def push(source: Source, now: int, leave: Leaves, tell: Tell) -> Delivery:
    """Leave everything that is on the ledger, and that is not left yet."""
    delivery = Delivery(ended=end_expired(source, now))
    found = list(waiting(source, [Step.COMMITTED, Step.SEALED]))
    done = 0
    with ThreadPoolExecutor(PARALLEL) as pool:
        for group in _groups(found):
            ready = [
                pair
                for pair in _sealed(source, group)
                if _is_left_at(source, store_of(pair[1]), delivery)
            ]
            whys = list(pool.map(lambda pair: _left(leave, *pair), ready))
            _keep(source, ready, whys, delivery)
            done += len(group)
            tell("left", done, len(found))
    return delivery


def export(source: Source, now: int, folder: Path, tell: Tell, *, whole: bool) -> Delivery:
    """Write parcels as files, where they can't be left; all that are not left yet if `whole`.

    They go into a folder for each consent; `mydata receive FILE` takes one. Raises OSError.
    """
    delivery = Delivery(ended=end_expired(source, now))
    found = list(waiting(source, [Step.COMMITTED, Step.SEALED]))
    done = 0
    for group in _groups(found):
        ready = [
            (statement, held)
            for statement, held in _sealed(source, group)
            if whole or store_of(held) not in source.settings.stores
        ]
        for statement, held in ready:
            _write(folder / held.id.hex()[:ID_DIGITS], statement)
        _keep(source, ready, [None] * len(ready), delivery)
        done += len(group)
        tell("written", done, len(found))
    return delivery


def _sealed(source: Source, group: list[tuple[bytes, Name]]) -> list[tuple[Statement, Held]]:
    """The parcels of a group, which are on disk when this returns."""
    ready: list[tuple[Statement, Held]] = []
    with source.journal.step() as database:
        for consent, name in group:
            held = consent_of_id(source, consent)
            if held is None:  # withdrawn in this run
                continue
            statement = statement_of(source, consent, name)
            if statement.parcel is None:
                parcel = _parcel(source, held, statement)
                change(database, name, parcel=parcel, step=Step.SEALED)
                statement = statement_of(source, consent, name)
            ready.append((statement, held))
    return ready


def _parcel(source: Source, held: Held, statement: Statement) -> bytes:
    """A parcel with the attestation by the key of today, which is the one that the ledger has."""
    batch = batch_of(source, held, statement.name, statement.drawn)
    text = batch_parcel_text(attestation_of(source, held, statement), batch)
    key = bytes.fromhex(held.signed_consent.consent.key)
    return seal_parcel("batch", statement.commitment, key, text)


def store_of(held: Held) -> str:
    """The store of a consent, in the spelling of the settings."""
    return held.signed_consent.consent.store.rstrip("/")


def _is_left_at(source: Source, store: str, delivery: Delivery) -> bool:
    """Whether a parcel can go to a store now: an operator says which stores, not a stranger."""
    if store not in source.settings.stores:
        delivery.elsewhere += 1
        return False
    if store in delivery.away:
        delivery.undone += 1
        return False
    return True


def _left(leave: Leaves, statement: Statement, held: Held) -> Exception | None:
    assert statement.parcel is not None
    try:
        leave(held.signed_consent.consent, statement.parcel)
    except (Withdrawn, NotLeft) as error:
        return error
    return None


def _keep(
    source: Source,
    ready: list[tuple[Statement, Held]],
    whys: list[Exception | None] | list[None],
    delivery: Delivery,
) -> None:
    """Write down what came of a group."""
    gone: set[bytes] = set()
    with source.journal.step() as database:
        for (statement, held), why in zip(ready, whys, strict=True):
            if why is None:
                change(database, statement.name, parcel=None, step=Step.DELIVERED)
                delivery.delivered += 1
            elif isinstance(why, Withdrawn):
                gone.add(held.id)
            else:
                store = store_of(held)
                delivery.failed[store] = str(why)
                delivery.undone += 1
                if isinstance(why, NotLeft) and why.is_away:
                    delivery.away.add(store)
    for consent in gone:
        end_consent(source, consent, "withdrawn")
    delivery.withdrawn += len(gone)


def _write(folder: Path, statement: Statement) -> None:
    """Put a parcel in its place whole and durably."""
    assert statement.parcel is not None
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = statement.name
    mark = sha256(statement.parcel).hexdigest()[:ID_DIGITS]
    path = folder / f"{name.period}-{name.schema}-{name.version}-{mark}.parcel"
    partial = path.with_suffix(".part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(statement.parcel)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    sync_folder(folder)


def _groups(found: list[tuple[bytes, Name]]) -> Iterator[list[tuple[bytes, Name]]]:
    for place in range(0, len(found), GROUP):
        yield found[place : place + GROUP]
