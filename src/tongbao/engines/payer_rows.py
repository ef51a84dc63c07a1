"""Which rows a copy of who pays for whom is told: those of senders in blocks, and their changes.

A chain may have a million sponsored accounts; a copy (`payers.py`) needs those that send. So what
is told begins with nothing, and has more with each block: of each new sender the sponsorship, the
payer's allowance and bucket, the share; and from then on every change of these.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from tongbao.kernel import Address, Decided, Machine, Time
from tongbao.kernel.kernel_module import (
    COMMON,
    COMMON_CAPACITY,
    COMMON_PER_MINUTE,
    QUOTAS,
    allowances,
    buckets,
    shares,
    sponsorships,
)
from tongbao.kernel.module import Table
from tongbao.kernel.quotas import in_force

ToldRow = tuple[bytes, bytes | None]
"""A row by its full key, as it is now; None for none."""

FORGET: Final = b""
"""The key that comes before a new beginning."""
LIMIT: Final = 200_000
"""Rows that were told; when there are more, telling begins anew."""
NEVER: Final = Time(0)
"""Until when what was told of a sender holds of whom nothing was told."""
TABLES: Final[Mapping[bytes, Table[Any, Any]]] = {
    table.prefix: table for table in (allowances, sponsorships, buckets, shares)
}


def settings_of(machine: Machine) -> tuple[int, int, int]:
    """Whether there are quotas, and the bucket of all for whom no sponsor pays."""
    known = machine.parameters
    return known[QUOTAS.name], known[COMMON_CAPACITY.name], known[COMMON_PER_MINUTE.name]


class PayerRows:
    """What one copy was told. Asked between two blocks."""

    def __init__(self, limit: int = LIMIT) -> None:
        """Nothing yet."""
        self._limit = limit
        self._begun = False
        self._told: set[bytes] = set()
        self._met: dict[Address, Time | None] = {}
        """Until when what was told of a sender says who pays for it; None without end."""

    def after(
        self, machine: Machine, decided: Decided, senders: Iterable[Address]
    ) -> dict[bytes, bytes | None]:
        """What to tell after a block that answered these senders: its changes, and what is new."""
        found: dict[bytes, bytes | None] = {}
        if not self._begun or len(self._told) > self._limit:
            self._begun = True
            self._told.clear()
            self._met.clear()
            found[FORGET] = None
        again: list[Address] = []
        for table, full_key, raw in _changed(decided):
            if full_key in self._told:
                found[full_key] = raw
                if table is sponsorships or table is allowances:
                    again.append(table.key_of(full_key))
        for account in again:
            self._met.pop(account, None)
        met = self._met
        for sender in (*again, *senders):
            until = met.get(sender, NEVER)
            if until is None or decided.time < until:
                continue
            met[sender] = self._meet(machine, sender, decided.time, found)
        return found

    def _meet(
        self, machine: Machine, sender: Address, time: Time, found: dict[bytes, bytes | None]
    ) -> Time | None:
        """Tell who pays for a sender, and until when that holds."""
        standing = self._tell(machine, sponsorships, sender, found)
        payer, until = sender, None
        if in_force(standing, time):
            payer, until = standing.sponsor, standing.expires_at
            if standing.share is not None:
                self._tell(machine, shares, sender, found)
        has_one = self._tell(machine, allowances, payer, found) is not None
        self._tell(machine, buckets, payer if has_one else COMMON, found)
        return until

    def _tell(
        self,
        machine: Machine,
        table: Table[Address, Any],
        account: Address,
        found: dict[bytes, bytes | None],
    ) -> Any:
        """A row, told if it was not yet."""
        raw = machine.row(table, account)
        full_key = table.full_key(account)
        if full_key not in self._told:
            self._told.add(full_key)
            found[full_key] = raw
        return None if raw is None else table.decode(raw)


def _changed(decided: Decided) -> Iterator[tuple[Table[Any, Any], bytes, bytes | None]]:
    """The rows of these tables that a block has changed, which are in the order of their keys."""
    rows = decided.rows
    for prefix, table in TABLES.items():
        at = bisect_left(rows, (prefix,))
        while at < len(rows) and rows[at][0].startswith(prefix):
            yield table, *rows[at]
            at += 1
