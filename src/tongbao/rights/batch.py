"""A batch: what one source knows of one person in one calendar month, and its commitment.

    commitment = H("batch", RFC 8785 form of the header)

The header's root is that of RFC 6962 over the leaves of the rows. A month without rows has a batch
of no rows, so that one that is left out is seen to be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Protocol

from msgspec import Meta, Struct

from tongbao.kernel import jcs, merkle
from tongbao.kernel.identifiers import Address, Hash
from tongbao.modules.data import types as data_types
from tongbao.modules.data.hashing import data_hash
from tongbao.rights.cells import Cell, Salt, cells_of, leaf_of, project_row
from tongbao.rights.limits import KEY_BYTES, ROWS_LIMIT, SALT_BYTES
from tongbao.rights.schema import BadRow, Row, Schema, SchemaName, Value, check_row

Period = data_types.Period
"""A calendar month: YYYY-MM."""


class Header(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a batch is of. Only its hash is on the ledger; a buyer gets it with the rows."""

    count: Annotated[int, Meta(ge=0, le=ROWS_LIMIT)]
    period: Period
    root: Hash
    salt: Salt
    schema: SchemaName
    source: Address
    subject: Hash


class Origin(Struct, frozen=True, kw_only=True):
    """Whose rows of which month: `subject` is the source's pseudonym for the person."""

    period: Period
    source: Address
    subject: Hash


class Batch(Struct, frozen=True, kw_only=True):
    """A batch with its rows in the clear and the secret of its salts.

    Its source makes one and its owner keeps it; an agent holds a `Copy`.
    """

    header: Header
    schema: Schema
    secret: bytes
    rows: tuple[Row, ...]

    @property
    def cells(self) -> tuple[str, ...]:
        """The names of a row's cells, in order."""
        return self.schema.cells

    @property
    def events(self) -> tuple[Hash, ...]:
        """What the rows tell of, in order."""
        return tuple(row.event for row in self.rows)

    def project(self, shown: frozenset[int]) -> Iterator[Sequence[Cell]]:
        """Each row as others see it: the cells at the `shown` places open."""
        for number, row in enumerate(self.rows):
            yield project_row(self.schema, self.secret, number, row, shown)

    def values_at(self, places: Sequence[int]) -> Iterator[Sequence[Value]]:
        """Of each row the values at these places."""
        for row in self.rows:
            cells = (row.event, *row.values)
            yield [cells[place] for place in places]


class Sellable(Protocol):
    """Rows that a package can be made of: a batch, or an agent's copy of one."""

    @property
    def header(self) -> Header:
        """What the batch is of."""

    @property
    def cells(self) -> tuple[str, ...]:
        """The names of a row's cells, in order."""

    @property
    def events(self) -> tuple[Hash, ...]:
        """What the rows tell of, in order."""

    def project(self, shown: frozenset[int]) -> Iterator[Sequence[Cell]]:
        """Each row as others see it. Raises BadRow for a place that can't be shown."""

    def values_at(self, places: Sequence[int]) -> Iterator[Sequence[Value]]:
        """Of each row the values at these places. Raises BadRow as `project` does."""


def subject_of(source: Address, owner_key: bytes, salt: bytes) -> Hash:
    """A source's pseudonym for a person, bound to the person's key.

    H("subject", source, owner's public key, salt) in hex, `source` as its 20 bytes: whoever is
    shown key and salt sees that they belong together; nobody else can tie two sources' subjects.
    """
    return Hash(data_hash("subject", bytes.fromhex(source), owner_key, salt).hex())


def commitment_of(header: Header) -> bytes:
    """The 32 bytes that stand for a batch on the ledger."""
    return data_hash("batch", jcs.encode(header))


def root_of(schema: Schema, secret: bytes, rows: Sequence[Row]) -> bytes:
    """The root over all rows of a batch."""
    leaves = [
        leaf_of(number, cells_of(schema, secret, number, row)) for number, row in enumerate(rows)
    ]
    return merkle.root(leaves)


def make_batch(
    schema: Schema, origin: Origin, rows: Sequence[Row], secret: bytes, salt: bytes
) -> Batch:
    """A batch of these rows. Secret (32 bytes) and salt (16) are drawn anew for each batch and each
    version of it: a salt that was shown would uncover the value that it hides in the next.

    Raises BadRow for a row that is not one of the schema, an event that is told twice, and more
    rows than a batch may have.
    """
    assert len(secret) == KEY_BYTES and len(salt) == SALT_BYTES
    check_rows(schema, rows)
    header = Header(
        count=len(rows),
        period=origin.period,
        root=Hash(root_of(schema, secret, rows).hex()),
        salt=Salt(salt.hex()),
        schema=schema.name,
        source=origin.source,
        subject=origin.subject,
    )
    return Batch(header=header, schema=schema, secret=secret, rows=tuple(rows))


def check_rows(schema: Schema, rows: Sequence[Row]) -> None:
    """Whether these can be the rows of a batch. Raises BadRow."""
    if len(rows) > ROWS_LIMIT:
        raise BadRow(f"{len(rows)} rows; a batch has at most {ROWS_LIMIT}")
    for row in rows:
        check_row(schema, row)
    if len({row.event for row in rows}) != len(rows):
        raise BadRow("two rows tell of the same event")


def batch_is_true(batch: Batch) -> bool:
    """Whether header, secret and rows belong together: what an agent asks of a batch it gets."""
    try:
        check_rows(batch.schema, batch.rows)
    except BadRow:
        return False
    header = batch.header
    return (
        header.schema == batch.schema.name
        and header.count == len(batch.rows)
        and header.root == root_of(batch.schema, batch.secret, batch.rows).hex()
    )


def repeated_events(batches: Sequence[Sellable]) -> tuple[Hash, ...]:
    """The events that more than one row of these batches tells of: an agent rejects them."""
    seen: set[Hash] = set()
    repeated: dict[Hash, None] = {}
    for batch in batches:
        for event in batch.events:
            if event in seen:
                repeated[event] = None
            seen.add(event)
    return tuple(repeated)
