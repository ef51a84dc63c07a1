"""`judge`: whether a package is what was bought. Buyer and panel run this one pure function.

It asks of the ledger what was ordered and committed to, and of the claimant the evidence: `a` and
the chunks. The first that is so is the verdict, in this order:

    EVIDENCE_IS_NOT_COMMITTED  `a` does not open a_commit, or the chunks do not give package_root
    PACKAGE_DOES_NOT_OPEN      a chunk, the padding or the text is malformed anywhere
    then of the first batch with a fault, in the order of the order:
    ROWS_ARE_MISSING           there is no such batch
    HEADER_IS_NOT_COMMITTED    H("batch", header) is not the ordered commitment, or it names another
                               source, subject, schema or period than the ledger
    ROWS_ARE_MISSING           fewer rows than the header counts
    GRANTED_CELL_IS_HIDDEN     a granted cell is a hash in some row
    ROW_IS_NOT_COMMITTED       the rows do not give the header's root
    OK                         no fault

What is open beyond the granted fields, and batches beyond the ordered ones, are no ground: they
harm the person, not the buyer. A source may commit to any header: one that names another source is
not what the ledger says was ordered. Whether values are true is no ground: a commitment proves
origin, and the source answers for the rest with its bond.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from msgspec import Struct

from tongbao.kernel import merkle
from tongbao.kernel.identifiers import Address, Hash
from tongbao.rights.batch import Header, Period, commitment_of
from tongbao.rights.cells import Cell, hash_of, leaf_of
from tongbao.rights.chunks import DoesNotOpen, chunks_root, open_chunks
from tongbao.rights.halves import a_commit_of, b_lock_of, package_key
from tongbao.rights.limits import KEY_BYTES
from tongbao.rights.package_text import (
    BadText,
    BatchBegins,
    RowComes,
    read_parts,
)
from tongbao.rights.schema import cell_names, places_of
from tongbao.rights.seal import Sealed


class Verdict(Enum):
    """What was found. On the ledger a panel votes `upheld` or `rejected`, which follows from it."""

    OK = "the package is what was ordered"
    EVIDENCE_IS_NOT_COMMITTED = "the evidence is not what stands on the ledger"
    PACKAGE_DOES_NOT_OPEN = "a chunk, the padding or the text is malformed"
    HEADER_IS_NOT_COMMITTED = (
        "a batch's header is not the one committed to, or names another source, subject, schema or "
        "period than the ledger"
    )
    ROWS_ARE_MISSING = "a batch, or some of its rows, is not there"
    GRANTED_CELL_IS_HIDDEN = "a cell of a granted field is a hash"
    ROW_IS_NOT_COMMITTED = "the rows are not those of the commitment"

    @property
    def upheld(self) -> bool:
        """Whether a claim with this verdict is upheld; else it is rejected."""
        return self not in (Verdict.OK, Verdict.EVIDENCE_IS_NOT_COMMITTED)


class Ordered(Struct, frozen=True, kw_only=True):
    """A batch that was ordered, as the ledger has it."""

    commitment: bytes
    period: Period
    source: Address
    subject: Hash


class Order(Struct, frozen=True, kw_only=True):
    """What was ordered, as the ledger has it.

    `schema_fields` are all fields of the schema in their order, `fields` the granted ones,
    `batches` what the ledger has of the batches, in the order's order.
    """

    id: bytes
    schema: str
    schema_fields: tuple[str, ...]
    fields: tuple[str, ...]
    batches: tuple[Ordered, ...]

    @property
    def cells(self) -> tuple[str, ...]:
        """The names of a row's cells, in order."""
        return cell_names(self.schema_fields)


class Commitments(Struct, frozen=True, kw_only=True):
    """What the seller told the ledger: by Seal what was sealed, by Reveal `b`."""

    sealed: Sealed
    b: bytes


def judge(order: Order, commitments: Commitments, a: bytes, chunks: Sequence[bytes]) -> Verdict:
    """The verdict on this evidence. Never raises, whatever `a` and the chunks are.

    `order` and `commitments` are of the ledger; its checks held when they were written. The chunks
    are gone through twice and may lie in a file: one is in memory at a time.
    """
    if not evidence_is_committed(order, commitments, a, chunks):
        return Verdict.EVIDENCE_IS_NOT_COMMITTED
    key = package_key(order.id, a, commitments.b)
    inspection = Inspection(order)
    try:
        for part in read_parts(open_chunks(key, order.id, chunks)):
            if isinstance(part, BatchBegins):
                inspection.begin(part.header)
            elif isinstance(part, RowComes):
                inspection.row(part.cells)
            else:
                inspection.end()
    except (DoesNotOpen, BadText):
        return Verdict.PACKAGE_DOES_NOT_OPEN
    return inspection.verdict()


def evidence_is_committed(
    order: Order, commitments: Commitments, a: bytes, chunks: Sequence[bytes]
) -> bool:
    """Whether these are the `a` and the chunks that the ledger was told of.

    A buyer asks the same, without `b`, before confirming: `delivery_is_committed`.
    """
    return (
        len(commitments.b) == KEY_BYTES
        and b_lock_of(order.id, commitments.b) == commitments.sealed.b_lock
        and delivery_is_committed(order.id, commitments.sealed, a, chunks)
    )


def delivery_is_committed(order: bytes, sealed: Sealed, a: bytes, chunks: Sequence[bytes]) -> bool:
    """Whether `a` opens a_commit and the chunks give package_root: else don't confirm."""
    return (
        len(a) == KEY_BYTES
        and a_commit_of(order, a) == sealed.a_commit
        and len(chunks) == sealed.chunk_count
        and chunks_root(chunks) == sealed.package_root
    )


class Inspection:
    """Looks at the batches of a package as they come, and keeps the first fault."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._names = order.cells
        self._granted = places_of(order.cells, order.fields)
        self._fault: Verdict | None = None
        self._seen = 0
        self._header: Header | None = None
        self._leaves: list[bytes] = []
        self._hidden = False
        self._strange = False

    def begin(self, header: Header) -> None:
        """The next batch comes."""
        self._header, self._leaves, self._hidden, self._strange = None, [], False, False
        if self._fault is None and self._seen < len(self._order.batches):
            ordered = self._order.batches[self._seen]
            if not _is_ordered(header, ordered, self._order.schema):
                self._fault = Verdict.HEADER_IS_NOT_COMMITTED
            else:
                self._header = header
        self._seen += 1

    def row(self, cells: Sequence[Cell]) -> None:
        """A row of it. Nothing is kept of rows that the header does not count."""
        if self._header is None:
            return
        number = len(self._leaves)
        if number >= self._header.count or len(cells) != len(self._names):
            self._strange = True
        self._hidden |= any(
            place >= len(cells) or isinstance(cells[place], str) for place in self._granted
        )
        if number < self._header.count:
            self._leaves.append(leaf_of(number, _hashes(self._names, cells)))

    def end(self) -> None:
        """The batch is complete."""
        header = self._header
        if header is None:
            return
        if len(self._leaves) < header.count:
            self._fault = Verdict.ROWS_ARE_MISSING
        elif self._hidden:
            self._fault = Verdict.GRANTED_CELL_IS_HIDDEN
        elif self._strange or merkle.root(self._leaves).hex() != header.root:
            self._fault = Verdict.ROW_IS_NOT_COMMITTED
        self._header = None

    def verdict(self) -> Verdict:
        """What was found, once the package has ended."""
        if self._fault is None and self._seen < len(self._order.batches):
            return Verdict.ROWS_ARE_MISSING
        return self._fault or Verdict.OK


def _is_ordered(header: Header, ordered: Ordered, schema: str) -> bool:
    """Whether a header is the one committed to, and of what the ledger says that it is of."""
    told = (header.source, header.subject, header.schema, header.period)
    known = (ordered.source, ordered.subject, schema, ordered.period)
    return commitment_of(header) == ordered.commitment and told == known


def _hashes(names: Sequence[str], cells: Sequence[Cell]) -> list[bytes]:
    """The hashes of a row's cells; of surplus cells none."""
    return [hash_of(name, cell) for name, cell in zip(names, cells, strict=False)]
