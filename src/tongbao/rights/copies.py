"""A copy: what a person gives an agent of one batch, to sell some fields of it and no others.

    text   head || line end || the text of a package of this one batch
    head   RFC 8785 form of {"attestation","batch","cells","owner"}

Open are each row's event and the offered fields, the rest are hashes: an agent never has the
batch's secret. It sees by the events that something was told before; no package has them open.
`attestation` is the source's JWS, left out of rows that the person told itself; `batch` is the
ledger's id, `cells` the names of all cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Final, NewType

import msgspec
from msgspec import Meta, Struct

from tongbao.kernel import jcs, merkle
from tongbao.kernel.identifiers import Address, Hash, Id
from tongbao.rights.attestation import BadAttestation, check_attested, read_signed
from tongbao.rights.batch import Batch, Header, commitment_of
from tongbao.rights.cells import Cell, hash_of, leaf_of
from tongbao.rights.chunks import chunk_count
from tongbao.rights.limits import (
    ATTESTATION_BYTES_LIMIT,
    CHUNK_BYTES,
    COPY_CHUNKS_LIMIT,
    FIELDS_LIMIT,
    LINE_BYTES_LIMIT,
)
from tongbao.rights.package_text import (
    BadText,
    BatchBegins,
    RowComes,
    package_bytes,
    package_lines,
    read_parts,
)
from tongbao.rights.schema import EVENT, BadRow, FieldName, Value

COPY_BYTES_LIMIT: Final = COPY_CHUNKS_LIMIT * CHUNK_BYTES

Compact = NewType(
    "Compact", Annotated[str, Meta(pattern=rf"^[A-Za-z0-9._-]{{1,{ATTESTATION_BYTES_LIMIT}}}\Z")]
)
"""A compact JWS as a text."""


class BadCopy(ValueError):
    """A text is no copy, or does not hold together; the message says what is wrong."""


class Copy(Struct, frozen=True, kw_only=True):
    """A batch of which some fields are shown. Its rows give the header's root."""

    attestation: bytes | None
    batch: Id
    owner: Address
    cells: tuple[str, ...]
    header: Header
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def commitment(self) -> bytes:
        """What the ledger keeps of the batch: the caller looks it up by `batch`."""
        return commitment_of(self.header)

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that are open; of a month without rows all are, since nothing is hidden."""
        if not self.rows:
            return self.cells[1:]
        cells = zip(self.cells, self.rows[0], strict=True)
        return tuple(name for name, cell in cells if name != EVENT and not isinstance(cell, str))

    @property
    def events(self) -> tuple[Hash, ...]:
        """What the rows tell of, in order."""
        return tuple(Hash(str(values[0])) for values in self.values_at((0,)))

    def project(self, shown: frozenset[int]) -> Iterator[Sequence[Cell]]:
        """Each row with the cells at the `shown` places open. Raises BadRow for a hidden one."""
        self._require_open(shown)
        for row in self.rows:
            yield [
                cell if place in shown else Hash(hash_of(name, cell).hex())
                for place, (name, cell) in enumerate(zip(self.cells, row, strict=True))
            ]

    def values_at(self, places: Sequence[int]) -> Iterator[Sequence[Value]]:
        """Of each row the values at these places. Raises BadRow for a hidden one."""
        self._require_open(places)
        for row in self.rows:
            yield [cell[1] for place in places if not isinstance(cell := row[place], str)]

    def _require_open(self, places: Sequence[int] | frozenset[int]) -> None:
        shown = {EVENT, *self.fields}
        hidden = [self.cells[place] for place in places if self.cells[place] not in shown]
        if hidden:
            raise BadRow(f"hidden in the copy of batch {self.batch}: {', '.join(hidden)}")


class _Head(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    attestation: Compact | None = None
    batch: Id
    cells: Annotated[tuple[FieldName, ...], Meta(min_length=2, max_length=FIELDS_LIMIT + 1)]
    owner: Address


_decoder = jcs.decoder(_Head)


def copy_text(
    batch: Batch,
    fields: Sequence[str],
    *,
    batch_id: Id,
    owner: Address,
    attestation: bytes | None,
) -> bytes:
    """The text of a copy with just these fields open. Raises BadRow for what is none, TooLarge.

    `attestation` is None of rows that the person told itself, and never of others.
    """
    head = jcs.encode(
        _Head(
            attestation=None if attestation is None else Compact(attestation.decode("ascii")),
            batch=batch_id,
            cells=tuple(FieldName(name) for name in batch.cells),
            owner=owner,
        )
    )
    length = len(head) + 1 + package_bytes((batch,), fields, with_events=True)
    chunk_count(length, COPY_CHUNKS_LIMIT)
    return b"".join((head, b"\n", *package_lines((batch,), fields, with_events=True)))


def read_copy(text: bytes) -> Copy:
    """The copy of a text; its rows give the root, its attestation is of it. Raises BadCopy.

    What only the ledger knows the caller asks of it: that `batch` is the owner's, live, and has
    this `commitment`, and that the key of the attestation is the source's.
    """
    if len(text) > COPY_BYTES_LIMIT:
        raise BadCopy(f"longer than {COPY_BYTES_LIMIT} bytes")
    end = text.find(b"\n", 0, LINE_BYTES_LIMIT)
    if end < 0:
        raise BadCopy("a copy begins with a line of JSON")
    head = _read_head(text[:end])
    try:
        header, rows = _read_rows(text, end + 1)
    except BadText as error:
        raise BadCopy(f"the rows: {error}") from None
    copy = Copy(
        attestation=None if head.attestation is None else head.attestation.encode("ascii"),
        batch=head.batch,
        owner=head.owner,
        cells=head.cells,
        header=header,
        rows=rows,
    )
    _check_rows(copy)
    _check_origin(copy)
    return copy


def _read_head(line: bytes) -> _Head:
    try:
        head: _Head = jcs.decode_canonical(_decoder, line)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadCopy(f"the head is none of a copy: {error}") from None
    if head.cells[0] != EVENT or len(set(head.cells)) != len(head.cells):
        raise BadCopy(f"the cells are {EVENT!r} and distinct fields")
    return head


def _read_rows(text: bytes, begin: int) -> tuple[Header, tuple[tuple[Cell, ...], ...]]:
    """The one batch of the text. Raises BadText, and BadCopy where there are more."""
    pieces = (text[at : at + CHUNK_BYTES] for at in range(begin, len(text), CHUNK_BYTES))
    header: Header | None = None
    rows: list[tuple[Cell, ...]] = []
    for part in read_parts(pieces):
        if isinstance(part, BatchBegins):
            if header is not None:
                raise BadCopy("a copy is of one batch")
            header = part.header
        elif isinstance(part, RowComes):
            if header is None or len(rows) >= header.count:
                raise BadCopy("there are more rows than the header counts")
            rows.append(part.cells)
    if header is None:
        raise BadCopy("a copy is of one batch")
    return header, tuple(rows)


def _check_rows(copy: Copy) -> None:
    """The rows are all there, open in the same places, each an event of its own."""
    if len(copy.rows) != copy.header.count:
        raise BadCopy("there are fewer rows than the header counts")
    if any(len(row) != len(copy.cells) for row in copy.rows):
        raise BadCopy("a row has not one cell for each name")
    if len({_open_places(row) for row in copy.rows}) > 1:
        raise BadCopy("a field is open in some rows and hidden in others")
    if copy.rows and 0 not in _open_places(copy.rows[0]):
        raise BadCopy("the events of the rows are hidden")
    leaves = [
        leaf_of(number, [hash_of(*cell) for cell in zip(copy.cells, row, strict=True)])
        for number, row in enumerate(copy.rows)
    ]
    if merkle.root(leaves).hex() != copy.header.root:
        raise BadCopy("the rows are not those of the header's root")
    if len(set(copy.events)) != len(copy.rows):
        raise BadCopy("two rows tell of the same event")


def _open_places(row: Sequence[Cell]) -> tuple[int, ...]:
    return tuple(place for place, cell in enumerate(row) if not isinstance(cell, str))


def _check_origin(copy: Copy) -> None:
    """An attestation is of this batch; without one, the source is the owner itself."""
    if copy.attestation is None:
        if copy.header.source != copy.owner:
            raise BadCopy("rows of another source than the owner come with its attestation")
        return
    try:
        check_attested(read_signed(copy.attestation)[0], copy.header)
    except BadAttestation as error:
        raise BadCopy(f"the attestation: {error}") from None
