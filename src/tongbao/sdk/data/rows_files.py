"""Write bought rows where programs want them: JSON lines, or CSV."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, TextIO

import msgspec

from tongbao.rights.opened import BoughtRow

PLACE: Final = ("source", "subject", "period", "row")
"""What stands before the granted fields: of which batch a row is, and its number there."""


def write_rows(path: Path, fields: Sequence[str], rows: Iterable[BoughtRow]) -> int:
    """Write rows to a file that ends in .csv or .jsonl; how many. Raises ValueError, OSError.

    The file is private (mode 0600), and is there once it is whole.
    """
    write = FORMS.get(path.suffix)
    if write is None:
        raise ValueError(f"{path.name} ends in none of {', '.join(FORMS)}")
    part = part_of(path)
    part.unlink(missing_ok=True)  # of a program that was killed; or a link that leads elsewhere
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(part, flags, 0o600), "w", encoding="utf-8", newline="") as file:
            number = write(file, fields, rows)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return number


def part_of(path: Path) -> Path:
    """Where rows are until all of them are written: a kill leaves some there."""
    return path.with_name(path.name + ".part")


def row_facts(row: BoughtRow) -> dict[str, object]:
    """One row as members of a JSON object."""
    header = row.header
    place = (header.source, header.subject, header.period, row.number)
    return {**dict(zip(PLACE, place, strict=True)), "values": row.values}


def _json_lines(file: TextIO, fields: Sequence[str], rows: Iterable[BoughtRow]) -> int:
    number = 0
    for row in rows:
        file.write(msgspec.json.encode(row_facts(row)).decode() + "\n")
        number += 1
    return number


def _csv(file: TextIO, fields: Sequence[str], rows: Iterable[BoughtRow]) -> int:
    """A text that a spreadsheet would take for a formula is led by an apostrophe."""
    table = csv.writer(file)
    table.writerow((*PLACE, *fields))
    number = 0
    for row in rows:
        header = row.header
        values = (_plain(row.values[name]) for name in fields)
        table.writerow((header.source, header.subject, header.period, row.number, *values))
        number += 1
    return number


def _plain(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return value


FORMS: Final[dict[str, Callable[[TextIO, Sequence[str], Iterable[BoughtRow]], int]]] = {
    ".jsonl": _json_lines,
    ".csv": _csv,
}
