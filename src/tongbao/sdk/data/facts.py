"""What the ledger says of an order, as the formats want it: for buyer, panel and agent alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from tongbao.kernel import Cursor, Id, Page, Parameter, Record
from tongbao.modules import data
from tongbao.rights.judge import Commitments, Order, Ordered
from tongbao.rights.seal import Sealed
from tongbao.sdk.client import Client

K = TypeVar("K")
V = TypeVar("V", bound=Record)

SEALED_SINCE = ("sealed", "confirmed", "revealed", "claimed", "settled", "upheld", "rejected")
"""The phases of an order that was sealed and not called off."""


class NotThere(LookupError):
    """The ledger has no such order, or not yet what is asked of it; the text says which."""

    exit_code = 4


class NotFetched(Exception):
    """A step needs the package, which was not fetched, or is not there any more."""

    exit_code = 4
    advice = "fetch it first: `tongbao data-buyer fetch ORDER`"


def order_row(chain: Client, order: str) -> data.Order:
    """An order as the ledger has it. Raises NotThere."""
    found = chain.query(data.order, Id(order))
    if found is None:
        raise NotThere(f"the ledger has no order {order}")
    return found


def ordered(chain: Client, order: str, row: data.Order) -> Order:
    """What was ordered, as `judge` wants it. Raises NotThere for rows that the ledger lacks."""
    definition = chain.query(data.schema, row.schema)
    batches = [chain.query(data.batch, batch) for batch in row.batches]
    if definition is None or None in batches:
        raise NotThere(f"the ledger lacks the schema or a batch of order {order}")
    return Order(
        id=bytes.fromhex(order),
        schema=row.schema,
        schema_fields=definition.fields,
        fields=row.fields,
        batches=tuple(ordered_batch(one) for one in batches if one is not None),
    )


def ordered_batch(row: data.Batch) -> Ordered:
    """What the ledger has of a batch, as `judge` holds its header to it."""
    return Ordered(
        commitment=bytes.fromhex(row.commitment),
        period=row.period,
        source=row.source,
        subject=row.subject,
    )


def sealed_of(order: str, row: data.Order) -> Sealed:
    """What the seller told the ledger when it sealed. Raises NotThere before."""
    if not (row.package_root and row.chunks and row.a_commit and row.b_lock):
        raise NotThere(f"order {order} is {row.phase}: nobody has sealed it")
    return Sealed(
        package_root=bytes.fromhex(row.package_root),
        chunk_count=row.chunks,
        a_commit=bytes.fromhex(row.a_commit),
        b_lock=bytes.fromhex(row.b_lock),
    )


def commitments_of(order: str, row: data.Order) -> Commitments:
    """The same with `b`. Raises NotThere before it is published."""
    sealed = sealed_of(order, row)
    if row.b is None:
        raise NotThere(f"order {order} is {row.phase}: `b` is not published")
    return Commitments(sealed=sealed, b=bytes.fromhex(row.b))


def deadline_of(chain: Client, row: data.Order) -> int:
    """When the phase of an order ends, in ms UTC, grown by what the network has stood still."""
    clock = chain.query(data.clock)
    return row.deadline + (0 if clock is None else clock.grown - row.grown)


def all_of(
    chain: Client, query: Callable[..., Page[K, V]], **arguments: Any
) -> Iterator[tuple[K, V]]:
    """Every row that a query gives in pages."""
    after: Cursor | None = None
    while True:
        page: Page[K, V] = chain.query(query, **arguments, after=after)
        yield from page.rows
        after = page.after
        if after is None:
            return


class _Setting(Struct):
    value: int


def parameter_of(chain: Client, parameter: Parameter) -> int:
    """What governance has set a parameter to."""
    value = bytes(chain.prove_row("kernel.parameters", parameter.name).value)
    return msgspec.json.decode(value, type=_Setting).value if value else parameter.default
