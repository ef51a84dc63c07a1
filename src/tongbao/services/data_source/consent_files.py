"""Consents as they come: one in a file, or many as JSON lines with the customers they are of.

{"consent":"eyJ...","customer":"4711"}
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from tongbao.sdk.data.consents import CONSENT_BYTES_LIMIT
from tongbao.services.data_source.settings import NO_INPUT, WRONG, SourceError

LINE_BYTES_LIMIT: Final = CONSENT_BYTES_LIMIT + 2_048
LINES_LIMIT: Final = 1_000_000


class ConsentLine(Struct, frozen=True, forbid_unknown_fields=True):
    """One line: a consent, and whose the source says it is."""

    consent: str
    customer: str


_decoder = msgspec.json.Decoder(ConsentLine)


def read_consents(path: Path, customer: str | None) -> Iterator[tuple[int, ConsentLine]]:
    """The consents of a file with the numbers of their lines. Raises SourceError."""
    try:
        with path.open("rb") as file:
            for number in range(1, LINES_LIMIT + 2):
                line = file.readline(LINE_BYTES_LIMIT + 1)
                if not line:
                    return
                if len(line) > LINE_BYTES_LIMIT or number > LINES_LIMIT:
                    raise SourceError(
                        f"line {number} is too long, or there are too many", "split it", WRONG
                    )
                if line.strip():
                    yield number, _read(number, line.strip(), customer)
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}", "check the path", NO_INPUT) from None


def _read(number: int, line: bytes, customer: str | None) -> ConsentLine:
    try:
        if customer is not None:
            return ConsentLine(line.decode("ascii"), customer)
        return _decoder.decode(line)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise SourceError(
            f"line {number} is no consent",
            'give --customer with one consent, or lines {"consent":"...","customer":"..."}',
            WRONG,
        ) from None
