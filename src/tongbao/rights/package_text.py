"""The text inside a package: all rows of the batches, granted cells open, the others as hashes.

It is one JSON value, an array of batches, that any JSON reader reads whole:

    [{"header":HEADER,"rows":[[CELL,CELL,...],...]},...]

HEADER is the batch's header with all its members. A cell is its hash (64 hex digits), or open:
[SALT, VALUE], the salt 32 hex digits. Without its line ends the text is in RFC 8785 form. Line
ends stand in fixed places, so that it can be read a row at a time: after the first bracket, after
`"rows":[`, after each row, after each batch's end, and nowhere else:

    [
    {"header":HEADER,"rows":[
    [CELL,CELL],
    [CELL,CELL]
    ]},
    {"header":HEADER,"rows":[
    ]}
    ]
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from tongbao.kernel import jcs
from tongbao.rights.batch import Header, Sellable
from tongbao.rights.cells import Cell, Cells
from tongbao.rights.limits import LINE_BYTES_LIMIT
from tongbao.rights.schema import places_of

T = TypeVar("T")

_HEADER_BEGINS: Final = b'{"header":'
_ROWS_BEGIN: Final = b',"rows":['
_BATCH_ENDS: Final = (b"]}", b"]},")

_ROW_BYTES: Final = len(b"\n[]")
_HASH_BYTES: Final = len(b'""') + 64
_OPEN_BYTES: Final = len(b'["",]') + 32
"""Of an open cell without its value."""

_header_decoder = jcs.decoder(Header)
_cells_decoder = jcs.decoder(Cells)


class BadText(ValueError):
    """A text is not that of a package; the message says in which line."""


class BatchBegins(Struct, frozen=True):
    """A batch comes: its header."""

    header: Header


class RowComes(Struct, frozen=True):
    """The next row of the batch that is open."""

    cells: Cells


class BatchEnds(Struct, frozen=True):
    """No more rows of this batch."""


Part = BatchBegins | RowComes | BatchEnds


def package_lines(
    batches: Sequence[Sellable], fields: Sequence[str], *, with_events: bool = False
) -> Iterator[bytes]:
    """The text, line by line. Raises BadRow for fields that a batch hasn't, or can't show.

    `with_events` is an agent's copy: it sees by them that an event was told before.
    """
    yield b"["
    last = len(batches) - 1
    for place, batch in enumerate(batches):
        yield b"\n" + _HEADER_BEGINS + jcs.encode(batch.header) + _ROWS_BEGIN
        shown = frozenset(shown_places(batch, fields, with_events=with_events))
        for number, cells in enumerate(batch.project(shown)):
            yield (b",\n" if number else b"\n") + jcs.encode(cells)
        yield b"\n]}" if place == last else b"\n]},"
    yield b"\n]"


def package_bytes(
    batches: Sequence[Sellable], fields: Sequence[str], *, with_events: bool = False
) -> int:
    """How long that text is, without hashing anything. Raises BadRow as `package_lines` does."""
    length = len(b"[\n]")
    for place, batch in enumerate(batches):
        header = len(jcs.encode(batch.header))
        length += len(b"\n") + len(_HEADER_BEGINS) + header + len(_ROWS_BEGIN)
        shown = shown_places(batch, fields, with_events=with_events)
        length += sum(_row_bytes(batch, shown)) + len(b"\n]}") + (place < len(batches) - 1)
    return length


def shown_places(
    batch: Sellable, fields: Sequence[str], *, with_events: bool = False
) -> tuple[int, ...]:
    """The places of the cells that are shown, ascending. Raises BadRow for fields that are none."""
    granted = places_of(batch.cells, fields)
    return (0, *granted) if with_events else granted


def _row_bytes(batch: Sellable, shown: Sequence[int]) -> Iterator[int]:
    """The length of each row with the line end before it and the comma between rows."""
    around = _ROW_BYTES + (len(batch.cells) - len(shown)) * _HASH_BYTES
    around += len(shown) * _OPEN_BYTES + len(batch.cells) - 1
    for number, values in enumerate(batch.values_at(shown)):
        yield around + (number > 0) + sum(len(jcs.encode(value)) for value in values)


def read_parts(pieces: Iterable[bytes]) -> Iterator[Part]:
    """What a text holds, in its order, from pieces of any size. Raises BadText."""
    lines = _Lines(pieces)
    if lines.next() != b"[":
        raise lines.bad("the text does not begin as a package's")
    line = lines.next()
    if line != b"]":
        while True:
            yield BatchBegins(_header(line, lines))
            end = yield from _rows(lines)
            yield BatchEnds()
            line = lines.next()
            if end == b"]}":
                break
        if line != b"]":
            raise lines.bad("the text does not end after its last batch")
    lines.end()


def _rows(lines: _Lines) -> Generator[Part, None, bytes]:
    """The rows of a batch; returns the line that ends it."""
    line = lines.next()
    if line in _BATCH_ENDS:
        return line
    while True:
        yield RowComes(_cells(line.removesuffix(b","), lines))
        more = line.endswith(b",")
        line = lines.next()
        if not more:
            break
    if line not in _BATCH_ENDS:
        raise lines.bad("a batch does not end after its last row")
    return line


def _header(line: bytes, lines: _Lines) -> Header:
    if not (line.startswith(_HEADER_BEGINS) and line.endswith(_ROWS_BEGIN)):
        raise lines.bad("no batch begins here")
    text = line[len(_HEADER_BEGINS) : -len(_ROWS_BEGIN)]
    header: Header = _canonical(_header_decoder, text, lines)
    return header


def _cells(text: bytes, lines: _Lines) -> tuple[Cell, ...]:
    return _canonical(_cells_decoder, text, lines)


def _canonical(decoder: msgspec.json.Decoder[T], text: bytes, lines: _Lines) -> T:
    try:
        return jcs.decode_canonical(decoder, text)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise lines.bad(str(error)) from None


class _Lines:
    """The lines of a text that comes in pieces; one line and one piece are held at a time."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._lines = _split(pieces)
        self._number = 0

    def next(self) -> bytes:
        """The next line without its end. Raises BadText where there is none."""
        self._number += 1
        line = next(self._lines, None)
        if line is None:
            raise self.bad("the text ends too early")
        if len(line) > LINE_BYTES_LIMIT:
            raise self.bad(f"longer than {LINE_BYTES_LIMIT} bytes")
        return line

    def end(self) -> None:
        """Nothing may follow. Raises BadText."""
        self._number += 1
        if next(self._lines, None) is not None:
            raise self.bad("the text goes on after its end")

    def bad(self, what: str) -> BadText:
        """The error at the line that was read last."""
        return BadText(f"line {self._number}: {what}")


def _split(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Lines, of which one that is too long comes cut, so that it is never held whole."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
        if len(rest) > LINE_BYTES_LIMIT:
            break
    yield rest
