"""Read the rows of a package that `judge` finds nothing wrong with: what the buyer has bought."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from tongbao.rights.batch import Header
from tongbao.rights.chunks import open_chunks
from tongbao.rights.halves import package_key
from tongbao.rights.judge import Commitments, Order, Verdict, judge
from tongbao.rights.package_text import BatchBegins, RowComes, read_parts
from tongbao.rights.schema import Value, places_of


class Faulty(ValueError):
    """A package is not what was ordered: claim with its `verdict`, or don't where it says OK."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(f"{verdict.name}: {verdict.value}")
        self.verdict = verdict


class BoughtRow(Struct, frozen=True, kw_only=True):
    """One row of a batch: its number in the batch, and the granted values by field."""

    header: Header
    number: int
    values: dict[str, Value]


def bought_rows(
    order: Order, commitments: Commitments, a: bytes, chunks: Sequence[bytes]
) -> Iterator[BoughtRow]:
    """All rows of the ordered batches, in order, each known to be committed to.

    The package is judged before the first row is given. Raises Faulty.
    """
    verdict = judge(order, commitments, a, chunks)
    if verdict is not Verdict.OK:
        raise Faulty(verdict)
    return _rows(order, package_key(order.id, a, commitments.b), chunks)


def _rows(order: Order, key: bytes, chunks: Sequence[bytes]) -> Iterator[BoughtRow]:
    places = {order.cells[place]: place for place in places_of(order.cells, order.fields)}
    batches, number = 0, 0
    for part in read_parts(open_chunks(key, order.id, chunks)):
        if isinstance(part, BatchBegins):
            header, batches, number = part.header, batches + 1, 0
            if batches > len(order.batches):
                return
        elif isinstance(part, RowComes):
            values = {
                name: cell[1]
                for name, place in places.items()
                if isinstance(cell := part.cells[place], tuple)
            }
            yield BoughtRow(header=header, number=number, values=values)
            number += 1
