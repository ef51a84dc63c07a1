"""What a till or a device exports: lines of CSV or JSON, one event a line.

    customer,event,day,eggs              {"customer":"4711","event":"bon-1/3","values":{...}}
    4711,bon-1/3,2026-03-02,10

CSV is UTF-8 with a header of exactly these columns, in any order. A file is strange until it is
read: every line has a limit, a text stays a text whatever it begins with, and nothing is cut,
guessed or converted.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
from msgspec import Struct

from tongbao.rights.limits import LINE_BYTES_LIMIT
from tongbao.rights.schema import Schema, Value
from tongbao.services.data_source.settings import NO_INPUT, WRONG, SourceError

CUSTOMER: Final = "customer"
EVENT: Final = "event"
EVENT_LIMIT: Final = 256
"""Characters of an event's id."""
LINES_LIMIT: Final = 10_000_000
INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,15})\Z", re.ASCII)
BOOLEANS: Final = {"true": True, "false": False}
MARK: Final = b"\xef\xbb\xbf"
"""Which some programs write before UTF-8."""


class BadLine(ValueError):
    """A line is no event; it says why, and no value of it."""


class Event(Struct, frozen=True, forbid_unknown_fields=True):
    """One event: whose, which, and its values in the order of the schema's fields."""

    customer: str
    event: str
    values: tuple[Value, ...]


class _JsonLine(Struct, frozen=True, forbid_unknown_fields=True):
    customer: str
    event: str
    values: dict[str, bool | int | str]


_json = msgspec.json.Decoder(_JsonLine)


def read_events(path: Path, schema: Schema) -> Iterator[tuple[int, Event | BadLine]]:
    """The events of a file with the numbers of their lines. Raises SourceError.

    `.csv` is CSV, all else JSON lines.
    """
    try:
        with path.open("rb") as file:
            lines = _lines(file)
            if path.suffix.lower() == ".csv":
                yield from _csv(path, schema, lines)
                return
            for number, line in lines:
                yield number, _tried(line, lambda text: _of_json(text, schema))
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}", "check the path", NO_INPUT) from None


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Lines without their ends, empty ones left out. Raises SourceError."""
    for number in range(1, LINES_LIMIT + 2):
        line = file.readline(LINE_BYTES_LIMIT + 3)
        if not line:
            return
        body = line.removesuffix(b"\n").removesuffix(b"\r")
        if len(body) > LINE_BYTES_LIMIT:
            raise SourceError(
                f"line {number} has more than {LINE_BYTES_LIMIT} bytes",
                "one event a line; nothing of the file was taken",
                WRONG,
            )
        if number == 1:
            body = body.removeprefix(MARK)
        if body:
            yield number, body
    raise SourceError(
        f"more than {LINES_LIMIT} lines", "split the file; nothing of it was taken", WRONG
    )


def _csv(
    path: Path, schema: Schema, lines: Iterator[tuple[int, bytes]]
) -> Iterator[tuple[int, Event | BadLine]]:
    _, head = next(lines, (0, b""))
    fields = [field.name for field in schema.fields]
    try:
        columns = _cells(_text(head))
    except BadLine as error:
        raise SourceError(f"{path}: its first line: {error}", "write a header", WRONG) from None
    if sorted(columns) != sorted([CUSTOMER, EVENT, *fields]):
        raise SourceError(
            f"the first line of {path} does not name the columns of {schema.name}",
            f"write {','.join([CUSTOMER, EVENT, *fields])}, in any order",
            WRONG,
        )
    places = {name: place for place, name in enumerate(columns)}
    for number, line in lines:
        yield number, _tried(line, lambda text: _of_cells(_cells(text), schema, places))


def _tried(line: bytes, read: object) -> Event | BadLine:
    assert callable(read)
    try:
        event: Event = read(_text(line))
        _check_text(CUSTOMER, event.customer)
        _check_text(EVENT, event.event)
    except BadLine as error:
        return error
    return event


def _text(line: bytes) -> str:
    if b"\x00" in line:
        raise BadLine("it has a NUL byte")
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise BadLine("it is not UTF-8") from None


def _cells(line: str) -> list[str]:
    """The cells of one line: a line end within quotes is refused, so no line reaches another."""
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error as error:
        raise BadLine(f"it is no line of CSV: {error}") from None


def _of_cells(cells: list[str], schema: Schema, places: dict[str, int]) -> Event:
    if len(cells) != len(places):
        raise BadLine(f"it has {len(cells)} cells, the header {len(places)}")
    values = tuple(
        _value(field.name, field.kind, cells[places[field.name]]) for field in schema.fields
    )
    return Event(cells[places[CUSTOMER]], cells[places[EVENT]], values)


def _value(name: str, kind: str, cell: str) -> Value:
    """A cell as a value of its kind; whether text and date are right, the schema says."""
    if kind == "integer":
        if not INTEGER.match(cell):
            raise BadLine(f"{name} is no integer as 42 or -7")
        return int(cell)
    if kind == "boolean":
        if cell not in BOOLEANS:
            raise BadLine(f"{name} is neither true nor false")
        return BOOLEANS[cell]
    return cell


def _of_json(line: str, schema: Schema) -> Event:
    try:
        read = _json.decode(line)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise BadLine('it is no {"customer":"...","event":"...","values":{...}}') from None
    names = [field.name for field in schema.fields]
    if sorted(read.values) != sorted(names):
        raise BadLine(f"its values are not those of {schema.name}")
    return Event(read.customer, read.event, tuple(read.values[name] for name in names))


def _check_text(what: str, text: str) -> None:
    if not 0 < len(text) <= EVENT_LIMIT or not text.isprintable():
        raise BadLine(f"its {what} is not 1 to {EVENT_LIMIT} printable characters")
