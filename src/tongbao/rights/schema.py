"""What a row of data may hold: the fields of a schema and their kinds.

A value is an integer within 2^53 - 1, a text, a boolean or a date. There is no null, no float and
no list: each value has one spelling in RFC 8785 form, so its cell has one hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from tongbao.kernel.identifiers import SAFE_INTEGER, Hash
from tongbao.modules.data import types as data_types
from tongbao.modules.data.hashing import data_hash
from tongbao.rights.limits import FIELDS_LIMIT, TEXT_LIMIT

EVENT: Final = data_types.EVENT
"""The first cell of every row, which is never granted: the event that the row tells of."""

Integer = Annotated[int, Meta(ge=-SAFE_INTEGER, le=SAFE_INTEGER)]
Text = Annotated[str, Meta(max_length=TEXT_LIMIT)]
Value = Integer | Text | bool
"""What an open cell holds."""

SchemaName = data_types.Schema
"""A kind of rows and its version, as the ledger has it: `eggs.1`."""

FieldName = data_types.Field
"""A column of a schema."""

Kind = Literal["integer", "text", "boolean", "date"]


class BadRow(ValueError):
    """A row, a schema or a list of fields is not as it must be; the text says what is wrong."""


class Field(Struct, frozen=True, forbid_unknown_fields=True):
    """One field of a schema: its name, and the kind of its values."""

    name: FieldName
    kind: Kind


class Schema(Struct, frozen=True, forbid_unknown_fields=True):
    """The fields of a row, in the order of their cells."""

    name: SchemaName
    fields: Annotated[tuple[Field, ...], Meta(min_length=1, max_length=FIELDS_LIMIT)]

    def __post_init__(self) -> None:
        """Refuse doubled names. Raises BadRow."""
        if len(set(self.cells)) != len(self.cells):
            raise BadRow(f"the schema {self.name} names a field twice, or has one named {EVENT!r}")

    @property
    def cells(self) -> tuple[str, ...]:
        """The names of a row's cells, in order: the event, then the fields."""
        return cell_names([field.name for field in self.fields])


def cell_names(fields: Sequence[str]) -> tuple[str, ...]:
    """The names of a row's cells, in order: the event, then the fields of the schema."""
    return (EVENT, *fields)


def places_of(cells: Sequence[str], fields: Sequence[str]) -> tuple[int, ...]:
    """The places of granted fields among the cells, ascending. Raises BadRow for what is none."""
    places = {name: place for place, name in enumerate(cells) if place}
    if not all(name in places for name in fields) or len(set(fields)) != len(fields):
        raise BadRow(f"not distinct fields of the schema: {', '.join(fields)}")
    return tuple(sorted(places[name] for name in fields))


class Row(Struct, frozen=True):
    """One row: which event it tells of, and its values in the order of the schema's fields."""

    event: Hash
    values: tuple[Value, ...]


def event_hash(source_key: bytes, event_id: bytes) -> Hash:
    """H("event", source's public key, event id) in hex: the same event gives the same hash.

    A till's receipt number with its line, a device's reading, a check-in: by it agents and
    statistics see that an event was given before.
    """
    return Hash(data_hash("event", source_key, event_id).hex())


def check_row(schema: Schema, row: Row) -> None:
    """Whether a row is one of the schema. Raises BadRow, which names the field."""
    if len(row.event) != 64 or not set(row.event) <= set("0123456789abcdef"):
        raise BadRow("the event of a row is a SHA-256 value in lowercase hex")
    if len(row.values) != len(schema.fields):
        raise BadRow(f"a row of {schema.name} has {len(schema.fields)} values")
    for field, value in zip(schema.fields, row.values, strict=True):
        if not _is_of_kind(field.kind, value):
            raise BadRow(f"{schema.name}.{field.name}: not a value of kind {field.kind}")


def _is_of_kind(kind: Kind, value: Value) -> bool:
    if kind == "boolean":
        return type(value) is bool
    if kind == "integer":
        return type(value) is int and abs(value) <= SAFE_INTEGER
    if type(value) is not str or len(value) > TEXT_LIMIT or not _has_utf8(value):
        return False
    return kind == "text" or _is_date(value)


def _has_utf8(text: str) -> bool:
    """Whether a text can be written: half of a surrogate pair can't."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_date(text: str) -> bool:
    """Whether a text is a day of the calendar in the one spelling YYYY-MM-DD (RFC 3339)."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
