"""The events that a source knows of its customers, and the index by which none is given twice.

Only events of customers with a consent in force are kept. An event is one customer's for good once
a month told it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct

from tongbao.rights.batch import Period
from tongbao.rights.limits import ROWS_LIMIT
from tongbao.rights.schema import BadRow, Row, Schema, Value, check_row, event_hash
from tongbao.services.data_source.consents import consent_of_customer, subject_key
from tongbao.services.data_source.event_files import BadLine, Event
from tongbao.services.data_source.settings import WRONG, SourceError
from tongbao.services.data_source.source import Source

FAULTS_SHOWN: Final = 20
CUSTOMERS_REMEMBERED: Final = 100_000
"""While one file is read: whose consents were looked up."""
MONTH_BYTES_LIMIT: Final = 8_388_608
"""Of a customer's month: however its texts are escaped, it fits into a batch at rest."""


class Added(Struct, kw_only=True):
    """What came of a file: the rows that are new, changed, known before, and nobody's."""

    new: int = 0
    changed: int = 0
    known: int = 0
    without_consent: int = 0


class _Body(Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    event: str
    values: tuple[Value, ...]


class _Adding:
    """One file on its way in."""

    def __init__(self, source: Source, schema: Schema, period: Period, replace: bool) -> None:
        self.source = source
        self.schema = schema
        self.period = period
        self.replace = replace
        self.added = Added()
        self._subjects: dict[str, bytes | None] = {}
        self._months: dict[bytes, list[int]] = {}

    def take(self, database: sqlite3.Connection, event: Event) -> None:
        """Keep one event. Raises BadLine, BadRow."""
        named = event_hash(self.source.signer.public_key, event.event.encode())
        check_row(self.schema, Row(named, event.values))
        subject = self._subject(event.customer)
        if subject is None:
            self.added.without_consent += 1
            return
        key = event_key(self.source, event.event)
        known = database.execute(
            "SELECT subject, schema, period, body FROM events WHERE event = ?", (key,)
        ).fetchone()
        body = _Body(named, event.values)
        if known is not None:
            self._again(database, key, (subject, known), event.values)
            return
        kept = msgspec.msgpack.encode(body)
        self._count(database, subject, 1, len(kept))
        database.execute(
            "INSERT INTO events (event, subject, schema, period, body) VALUES (?, ?, ?, ?, ?)",
            (key, subject, self.schema.name, self.period, self.source.journal.seal("event", kept)),
        )
        self.added.new += 1

    def _again(
        self,
        database: sqlite3.Connection,
        key: bytes,
        whose: tuple[bytes, tuple[bytes, str, str, bytes | None]],
        values: tuple[Value, ...],
    ) -> None:
        """An event that was told before: the same is no change, and another needs --replace."""
        subject, (before, schema, period, sealed) = whose
        if before != subject:
            raise BadLine(
                "this event was given to another customer, or under another consent: it is one's"
            )
        if (schema, period) != (self.schema.name, self.period):
            raise BadLine("this event was given in another month or schema")
        # Without a body it was told under a consent that has ended, or taken back.
        old = None if sealed is None else _read(self.source, sealed)
        if old is None or old.values == values:
            self.added.known += 1
            return
        if not self.replace:
            raise BadLine("this event is known with other values; --replace corrects it")
        body = msgspec.msgpack.encode(_Body(old.event, values))
        self._count(database, subject, 0, len(body))
        database.execute(
            "UPDATE events SET body = ? WHERE event = ?",
            (self.source.journal.seal("event", body), key),
        )
        self.added.changed += 1

    def _subject(self, customer: str) -> bytes | None:
        if customer not in self._subjects:
            if len(self._subjects) >= CUSTOMERS_REMEMBERED:
                self._subjects.clear()
            held = consent_of_customer(self.source, customer, self.schema.name)
            signed = None if held is None else held.signed_consent
            self._subjects[customer] = (
                None if signed is None else subject_key(self.source.journal, signed)
            )
        return self._subjects[customer]

    def _count(self, database: sqlite3.Connection, subject: bytes, rows: int, length: int) -> None:
        """Hold a customer's month to what a batch may have."""
        if subject not in self._months:
            found = database.execute(
                "SELECT count(*), coalesce(sum(length(body)), 0) FROM events"
                " WHERE subject = ? AND schema = ? AND period = ?",
                (subject, self.schema.name, self.period),
            ).fetchone()
            self._months[subject] = list(found)
        month = self._months[subject]
        month[0] += rows
        month[1] += length
        if month[0] > ROWS_LIMIT or month[1] > MONTH_BYTES_LIMIT:
            raise BadLine(
                f"this customer's month has more than {ROWS_LIMIT} rows or {MONTH_BYTES_LIMIT}"
                " bytes"
            )


def add_events(
    source: Source,
    schema: Schema,
    period: Period,
    lines: Iterable[tuple[int, Event | BadLine]],
    *,
    replace: bool = False,
) -> Added:
    """Keep the events of a file, or nothing of it. Raises SourceError, which names lines."""
    adding = _Adding(source, schema, period, replace)
    faults: list[str] = []
    with source.journal.step() as database:
        for number, line in lines:
            try:
                if isinstance(line, BadLine):
                    raise line
                adding.take(database, line)
            except (BadLine, BadRow) as error:
                faults.append(f"line {number}: {error}")
                if len(faults) == FAULTS_SHOWN:
                    break
        if faults:
            raise SourceError(
                f"nothing of the file was taken: {'; '.join(faults)}",
                "correct these lines and add the file again",
                WRONG,
            )
    return adding.added


def event_key(source: Source, event: str) -> bytes:
    """What stands for an event in the index: the same when the source has another key."""
    return source.journal.blind("event", event.encode())


def _read(source: Source, sealed: bytes) -> _Body:
    return msgspec.msgpack.decode(source.journal.unseal("event", sealed), type=_Body)


def remove_event(source: Source, event: str) -> bool:
    """Take an event back, of which no month tells from now on; False where it is not known.

    One that a month told stays known as this customer's: `correct` makes the next version.
    """
    key = event_key(source, event)
    with source.journal.step() as database:
        database.execute("DELETE FROM events WHERE event = ? AND given = 0", (key,))
        gone = database.execute("SELECT changes()").fetchone()[0]
        database.execute("UPDATE events SET body = NULL WHERE event = ? AND body NOT NULL", (key,))
        return bool(gone + database.execute("SELECT changes()").fetchone()[0])


def rows_of(source: Source, subject: bytes, schema: str, period: str) -> tuple[Row, ...]:
    """The rows of a customer's month, in the order in which they came."""
    found = source.journal.database.execute(
        "SELECT body FROM events WHERE subject = ? AND schema = ? AND period = ?"
        " AND body NOT NULL ORDER BY number",
        (subject, schema, period),
    )
    read = (_read(source, body) for (body,) in found)
    return tuple(Row(one.event, one.values) for one in read)  # type: ignore[arg-type]
