"""A schema, batches and a sealed order that the tests of this folder begin from."""

from __future__ import annotations

from hashlib import sha256

from msgspec import Struct

from tongbao.kernel.identifiers import Address, Hash
from tongbao.rights.batch import Batch, Origin, Period, commitment_of, make_batch, subject_of
from tongbao.rights.chunks import chunk_count, chunks_root, seal_chunks
from tongbao.rights.halves import Halves, a_commit_of, b_lock_of, package_key
from tongbao.rights.judge import Commitments, Order, Ordered, Verdict, judge
from tongbao.rights.schema import Field, FieldName, Row, Schema, SchemaName, event_hash
from tongbao.rights.seal import Sealed, seal_package

SCHEMA = Schema(
    SchemaName("breakfast.1"),
    (
        Field(FieldName("day"), "date"),
        Field(FieldName("eggs"), "integer"),
        Field(FieldName("note"), "text"),
        Field(FieldName("at_home"), "boolean"),
    ),
)
SOURCE = Address("11" * 20)
ORDER = bytes.fromhex("22" * 20)
FIELDS = ("day", "eggs")
NOTE = "canary in the kitchen"


def fixed(what: str) -> bytes:
    """32 bytes that stand for random ones, the same at each run."""
    return sha256(what.encode()).digest()


HALVES = Halves(fixed("a"), fixed("b"))
SUBJECT = subject_of(SOURCE, fixed("owner"), fixed("pseudonym")[:16])


def rows(count: int) -> tuple[Row, ...]:
    """Breakfasts of a month, one a day and more."""
    return tuple(
        Row(
            event_hash(fixed("source"), str(number).encode()),
            (f"2026-10-{number % 31 + 1:02}", number % 4, f"{NOTE} {number}", number % 2 == 0),
        )
        for number in range(count)
    )


def batch(count: int = 5, period: str = "2026-10") -> Batch:
    """A batch of so many rows."""
    origin = Origin(period=Period(period), source=SOURCE, subject=Hash(SUBJECT))
    return make_batch(
        SCHEMA, origin, rows(count), fixed(f"secret {period}"), fixed(f"salt {period}")[:16]
    )


def told_batch(one: Ordered) -> dict[str, str]:
    """A batch of an order as other languages read it."""
    return {
        "commitment": one.commitment.hex(),
        "period": one.period,
        "source": one.source,
        "subject": one.subject,
    }


class Case(Struct, frozen=True):
    """All that `judge` is asked about."""

    order: Order
    commitments: Commitments
    a: bytes
    chunks: tuple[bytes, ...]

    def verdict(self) -> Verdict:
        """What `judge` says to it."""
        return judge(self.order, self.commitments, self.a, self.chunks)


def ordered_of(batch: Batch) -> Ordered:
    """A batch as the ledger has it that was told the truth."""
    header = batch.header
    return Ordered(
        commitment=commitment_of(header),
        period=header.period,
        source=header.source,
        subject=header.subject,
    )


def order_of(*batches: Batch, fields: tuple[str, ...] = FIELDS) -> Order:
    """An order of these batches."""
    return Order(
        id=ORDER,
        schema=SCHEMA.name,
        schema_fields=SCHEMA.cells[1:],
        fields=fields,
        batches=tuple(ordered_of(one) for one in batches),
    )


def honest(*batches: Batch, fields: tuple[str, ...] = FIELDS) -> Case:
    """A package as it should be."""
    chunks: list[bytes] = []
    sealed = seal_package(ORDER, HALVES, batches, fields, chunks.append)
    commitments = Commitments(sealed=sealed, b=HALVES.b)
    return Case(order_of(*batches, fields=fields), commitments, HALVES.a, tuple(chunks))


def sealed_text(order: Order, text: bytes) -> Case:
    """A package of any text, sealed and committed to by a seller who may lie."""
    key = package_key(ORDER, HALVES.a, HALVES.b)
    count = chunk_count(len(text))
    return committed(order, tuple(seal_chunks(key, ORDER, (text,), len(text), count)))


def committed(order: Order, chunks: tuple[bytes, ...]) -> Case:
    """Any chunks, committed to as they are."""
    sealed = Sealed(
        package_root=chunks_root(chunks),
        chunk_count=len(chunks),
        a_commit=a_commit_of(ORDER, HALVES.a),
        b_lock=b_lock_of(ORDER, HALVES.b),
    )
    return Case(order, Commitments(sealed=sealed, b=HALVES.b), HALVES.a, chunks)
