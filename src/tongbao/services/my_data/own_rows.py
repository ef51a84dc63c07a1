"""Rows that the person tells itself, out of a CSV or JSON file: labelled `self` wherever they go.

Nobody attests them. They are committed by the person's own account, as its own source, so buyers
see what they are before they pay.
"""

from __future__ import annotations

import csv
import io
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from tongbao.kernel import Id
from tongbao.kernel.identifiers import Hash
from tongbao.modules import data
from tongbao.rights.batch import Batch, Origin, Period, commitment_of, make_batch
from tongbao.rights.limits import KEY_BYTES, ROWS_LIMIT, SALT_BYTES
from tongbao.rights.schema import EVENT, BadRow, Field, Row, Schema, Value, check_row, event_hash
from tongbao.services.my_data.collecting import keep
from tongbao.services.my_data.ledger import Owned
from tongbao.services.my_data.notebook import Kept
from tongbao.services.my_data.person import Person
from tongbao.services.my_data.refusals import NotTaken, Why

FILE_BYTES_LIMIT: Final = 67_108_864
SCHEMA_BYTES_LIMIT: Final = 65_536
SELF: Final = data.Method("self")
INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,15})\Z")
BOOLEANS: Final = {"true": True, "false": False}
TEXT_CELL_LIMIT: Final = 4_096


class BadFile(Exception):
    """A file of rows or of a schema can't be read; the text says where, and no value."""

    exit_code = 65
    advice = "correct the file; nothing of it was taken"


def read_schema(path: Path) -> Schema:
    """The schema in a JSON file, as the data formats have it. Raises BadFile, OSError."""
    with path.open("rb") as file:
        text = file.read(SCHEMA_BYTES_LIMIT + 1)
    try:
        return msgspec.json.decode(text, type=Schema)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadFile(f"{path} is no schema: {error}") from None


def read_rows(path: Path, schema: Schema, source_key: bytes, period: str) -> list[Row]:
    """The rows of a file: `.json`, an array of objects, else CSV with names in the first line.

    Members and columns are the fields of the schema, and `event` if a row has a name of its own;
    without it a row is named by its place in the month. Raises BadFile, OSError.
    """
    with path.open("rb") as file:
        text = file.read(FILE_BYTES_LIMIT + 1)
    if len(text) > FILE_BYTES_LIMIT:
        raise BadFile(f"{path} has more than {FILE_BYTES_LIMIT} bytes")
    read = _of_json(text) if path.suffix.lower() == ".json" else _of_csv(text, schema.fields)
    rows: list[Row] = []
    for number, members in enumerate(_bounded(read), 1):
        try:
            row = _row(schema, members, source_key, f"{schema.name}/{period}/{number}")
            check_row(schema, row)
        except BadRow as error:
            raise BadFile(f"{path}, row {number}: {error}") from None
        rows.append(row)
    return rows


def tell(person: Person, schema: Schema, rows: Sequence[Row], period: str) -> Kept:
    """Commit to rows of a month as what the person says itself; again is a correction.

    Raises NotTaken, Refused, BadRow.
    """
    owned = person.owned()
    definition = person.chain.query(data.schema, schema=data.Schema(schema.name))
    if definition is None or list(map(str, definition.fields)) != [
        str(one.name) for one in schema.fields
    ]:
        raise BadFile(f"the ledger has no schema {schema.name} of just these fields")
    batch = _batch(person, schema, rows, period)
    before = _before(owned, batch)
    if before is not None and owned.is_erased(before):
        raise NotTaken(Why.IS_ERASED, "an erased month can't be told again")
    person.shelf.keep(batch)
    person.wallet.send(
        data.Commit(
            owner=person.account,
            subject=batch.header.subject,
            schema=data.Schema(schema.name),
            period=data.Period(period),
            version=data.Version(1 if before is None else owned.batches[before].version + 1),
            commitment=Hash(commitment_of(batch.header).hex()),
            method=SELF,
            supersedes=None if before is None else Id(before),
        )
    )
    return keep(person, batch, None, None)


def _batch(person: Person, schema: Schema, rows: Sequence[Row], period: str) -> Batch:
    account = person.account
    origin = Origin(
        period=Period(period), source=account, subject=person.keys.subject(account, schema.name)
    )
    secret, salt = secrets.token_bytes(KEY_BYTES), secrets.token_bytes(SALT_BYTES)
    return make_batch(schema, origin, rows, secret, salt)


def _before(owned: Owned, batch: Batch) -> str | None:
    """The newest version of the month that is on the ledger."""
    header = batch.header
    same = [
        (row.version, name)
        for name, row in owned.batches.items()
        if (row.source, row.subject, str(row.schema), str(row.period))
        == (header.source, header.subject, str(header.schema), str(header.period))
    ]
    return max(same)[1] if same else None


def _bounded(read: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for number, members in enumerate(read):
        if number == ROWS_LIMIT:
            raise BadFile(f"a month has at most {ROWS_LIMIT} rows")
        yield members


def _of_json(text: bytes) -> list[dict[str, Any]]:
    try:
        return msgspec.json.decode(text, type=list[dict[str, int | str | bool]])
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadFile(f"no array of objects with plain values: {error}") from None


def _of_csv(text: bytes, fields: Sequence[Field]) -> Iterator[dict[str, Any]]:
    try:
        lines = io.StringIO(text.decode("utf-8-sig"), newline="")
    except UnicodeDecodeError as error:
        raise BadFile(f"byte {error.start} is no UTF-8") from None
    if "\x00" in lines.getvalue():
        raise BadFile("there are zero bytes in it")
    kinds = {str(field.name): field.kind for field in fields}
    reader = csv.reader(lines, strict=True)
    try:
        names = next(reader, [])
        if len(set(names)) != len(names):
            raise BadFile("the first line names a column twice")
        for place, cells in enumerate(reader, 2):
            if len(cells) != len(names) or any(len(cell) > TEXT_CELL_LIMIT for cell in cells):
                raise BadFile(f"line {place} has not one cell for each name, or a very long one")
            pairs = zip(names, cells, strict=True)
            yield {name: _value(kinds.get(name, "text"), cell) for name, cell in pairs}
    except csv.Error as error:
        raise BadFile(f"line {reader.line_num}: {error}") from None


def _value(kind: str, cell: str) -> Value:
    """What a cell says; a formula is a text as any other. What is of another kind stays a text."""
    if kind == "integer" and INTEGER.match(cell):
        return int(cell)
    return BOOLEANS.get(cell, cell) if kind == "boolean" else cell


def _row(schema: Schema, members: dict[str, Any], source_key: bytes, name: str) -> Row:
    wanted = {field.name for field in schema.fields}
    missing, other = wanted - set(members), set(members) - wanted - {EVENT}
    if missing or other:
        wrong = ", ".join(sorted(ascii(one)[:40] for one in missing | other))
        raise BadRow(f"members are the fields of {schema.name}; missing or unknown: {wrong}")
    event = members.get(EVENT, name)
    if not isinstance(event, str) or len(event) > TEXT_CELL_LIMIT:
        raise BadRow("an event is named by a text")
    values = tuple(members[field.name] for field in schema.fields)
    return Row(event_hash(source_key, event.encode()), values)
