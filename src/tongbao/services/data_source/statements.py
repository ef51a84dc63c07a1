"""What a source has said of each customer's months, and how far each statement is.

    drawn      rows, secret, salt and time are fixed: the batch follows from them
    attested   signed; the same signature comes out again, if it has to be made again
    committed  the ledger has it
    sealed     the parcel for the customer is made
    delivered  left at the store, or written as a file

A row of the journal for each (subject, schema, period, version): its key makes two contents for one
of them impossible, whenever the program is killed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from enum import IntEnum
from secrets import token_bytes
from typing import Final

import msgspec
from msgspec import Struct

from tongbao.kernel.identifiers import Hash
from tongbao.rights.attestation import Attestation, sign_attestation
from tongbao.rights.batch import Batch, Origin, Period, commitment_of, make_batch
from tongbao.rights.limits import KEY_BYTES, SALT_BYTES
from tongbao.rights.schema import Row
from tongbao.services.data_source.consents import Held, subject_key
from tongbao.services.data_source.events import rows_of
from tongbao.services.data_source.source import Source

GROUP: Final = 250
"""Statements that take a step together: one write to the disk, one request to the node."""


class Step(IntEnum):
    """How far a statement is."""

    DRAWN = 1
    ATTESTED = 2
    COMMITTED = 3
    SEALED = 4
    DELIVERED = 5


class Drawn(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything that a statement follows from; `supersedes` are commitment and batch's id."""

    iat: int
    rows: tuple[Row, ...]
    salt: bytes
    secret: bytes
    supersedes: tuple[str, str] | None = None


class Name(Struct, frozen=True):
    """What a statement is of. `subject` is what stands for the subject in the journal."""

    subject: bytes
    schema: str
    period: str
    version: int

    @property
    def key(self) -> tuple[bytes, str, str, int]:
        """As columns."""
        return (self.subject, self.schema, self.period, self.version)


class Statement(Struct, frozen=True, kw_only=True):
    """A statement on its way, with the consent that it is made by."""

    name: Name
    consent: bytes
    commitment: bytes
    drawn: Drawn
    attestation: bytes | None = None
    batch: str | None = None
    parcel: bytes | None = None


WHERE: Final = "WHERE subject = ? AND schema = ? AND period = ? AND version = ?"
READ: Final = "commitment, batch, body, attestation, parcel"
SELECT: Final = f"SELECT {READ} FROM statements {WHERE}"  # noqa: S608


def draw(
    source: Source,
    held: Sequence[Held],
    period: str,
    iat: int,
    before: Sequence[Name] | None = None,
) -> None:
    """Fix what is said of these customers' month: one step. `before` are their last versions."""
    with source.journal.step() as database:
        for place, one in enumerate(held):
            signed = one.signed_consent
            subject = subject_key(source.journal, signed)
            old = None if before is None else statement_of(source, one.id, before[place])
            name = Name(subject, one.schema, period, 1 if old is None else old.name.version + 1)
            drawn = Drawn(
                iat=iat,
                rows=rows_of(source, subject, one.schema, period),
                salt=token_bytes(SALT_BYTES),
                secret=token_bytes(KEY_BYTES),
                supersedes=None if old is None else (old.commitment.hex(), str(old.batch)),
            )
            commitment = commitment_of(batch_of(source, one, name, drawn).header)
            body = source.journal.seal("drawn", msgspec.msgpack.encode(drawn))
            database.execute(
                "INSERT INTO statements (subject, schema, period, version, consent, step,"
                " commitment, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*name.key, one.id, Step.DRAWN, commitment, body),
            )
            database.execute(
                "UPDATE events SET given = 1 WHERE subject = ? AND schema = ? AND period = ?",
                name.key[:3],
            )


def batch_of(source: Source, held: Held, name: Name, drawn: Drawn) -> Batch:
    """The batch that follows from what was drawn."""
    origin = Origin(
        period=Period(name.period), source=source.account, subject=held.signed_consent.subject
    )
    schema = source.settings.told(name.schema).schema
    return make_batch(schema, origin, drawn.rows, drawn.secret, drawn.salt)


def attestation_of(source: Source, held: Held, statement: Statement) -> bytes:
    """The source's signature of a statement: the same each time."""
    consent = held.signed_consent.consent
    drawn = statement.drawn
    attestation = Attestation(
        about=source.settings.told(statement.name.schema).about,
        batch=Hash(statement.commitment.hex()),
        iat=drawn.iat,
        iss=source.account,
        method=consent.method,
        period=Period(statement.name.period),
        schema=consent.schema,
        sub=held.signed_consent.subject,
        supersedes=None if drawn.supersedes is None else Hash(drawn.supersedes[0]),
        version=statement.name.version,
    )
    return sign_attestation(attestation, source.signer.seed)


def sealed(source: Source, attestation: bytes) -> bytes:
    """An attestation as the journal keeps it."""
    return source.journal.seal("attestation", attestation)


def change(database: sqlite3.Connection, name: Name, **columns: object) -> None:
    """Write down of a statement how far it is, and what has come with that."""
    names = ", ".join(f"{column} = ?" for column in columns)
    sql = f"UPDATE statements SET {names} {WHERE}"  # noqa: S608
    database.execute(sql, (*columns.values(), *name.key))


def waiting(source: Source, steps: Sequence[Step]) -> Iterator[tuple[bytes, Name]]:
    """The names of statements that are so far, under consents in force; read all at once."""
    marks = ",".join("?" * len(steps))
    found = source.journal.database.execute(
        "SELECT s.consent, s.subject, s.schema, s.period, s.version FROM statements s"  # noqa: S608
        " JOIN consents c ON c.id = s.consent AND c.state = 'in force'"
        f" WHERE s.step IN ({marks}) AND s.body NOT NULL"
        " ORDER BY s.period, s.version, s.consent",
        tuple(steps),
    ).fetchall()
    for consent, *name in found:
        yield consent, Name(*name)


def statement_of(source: Source, consent: bytes, name: Name) -> Statement:
    """A statement on its way. Raises SourceError where the journal is damaged."""
    commitment, batch, body, attestation, parcel = source.journal.database.execute(
        SELECT, name.key
    ).fetchone()
    opened = source.journal.unseal("drawn", body)
    return Statement(
        name=name,
        consent=consent,
        commitment=commitment,
        drawn=msgspec.msgpack.decode(opened, type=Drawn),
        attestation=attestation and source.journal.unseal("attestation", attestation),
        batch=batch,
        parcel=parcel,
    )


def last_version(source: Source, subject: bytes, schema: str, period: str) -> Statement | None:
    """The last that was said of a month, if its rows are still known."""
    row = source.journal.database.execute(
        "SELECT version, consent, body IS NULL FROM statements"
        " WHERE subject = ? AND schema = ? AND period = ? ORDER BY version DESC LIMIT 1",
        (subject, schema, period),
    ).fetchone()
    if row is None or row[2]:
        return None
    return statement_of(source, row[1], Name(subject, schema, period, row[0]))


def is_said(source: Source, subject: bytes, schema: str, period: str) -> bool:
    """Whether anything was said of a month, under whichever consent."""
    return (
        source.journal.database.execute(
            "SELECT 1 FROM statements WHERE subject = ? AND schema = ? AND period = ? LIMIT 1",
            (subject, schema, period),
        ).fetchone()
        is not None
    )


def step_of(source: Source, name: Name) -> Step:
    """How far a statement is."""
    (step,) = source.journal.database.execute(
        f"SELECT step FROM statements {WHERE}",  # noqa: S608
        name.key,
    ).fetchone()
    return Step(step)
