"""Making rows of a base, in an LMDB environment that nobody uses yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple

import lmdb

from tongbao.store.base import Base
from tongbao.store.disk import Disk
from tongbao.store.record import encode
from tongbao.store.sites import Site

ROWS_AT_ONCE: Final = 50_000
SPARE_BYTES: Final = 64 * 1024 * 1024
PAGES_FACTOR: Final = 4
"""How many times the bytes of rows their half-filled pages may need."""

Pair = tuple[bytes, bytes]


class Databases(NamedTuple):
    """The three databases of rows."""

    rows: lmdb._Database
    status: lmdb._Database
    meta: lmdb._Database


def map_bytes_for(base: Base) -> int:
    """The size of a map that surely holds the rows of a base."""
    return PAGES_FACTOR * base.size + SPARE_BYTES


def fill(environment: lmdb.Environment, databases: Databases, base: Base, disk: Disk) -> None:
    """Write all that a base has, a part in each transaction. Raises BadSnapshot, lmdb.Error."""
    statuses = ((key, encode(status)) for key, status in base.statuses())
    for database, pairs in ((databases.rows, base.rows()), (databases.status, statuses)):
        for batch in _batches(pairs):
            with (
                disk.writing(Site.ROWS_OF_BASE),
                environment.begin(database, write=True) as txn,
                txn.cursor() as cursor,
            ):
                cursor.putmulti(batch)


def _batches(pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
    following = iter(pairs)
    while batch := list(islice(following, ROWS_AT_ONCE)):
        yield batch
