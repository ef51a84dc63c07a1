"""Quotas of rows: how many rows each account owns, and how many one pays for together.

Tables whose rows users make at will say whose a row is. While `kernel.quotas` is 1, what a
transaction or a due item has put and removed there is counted when its handlers are done, out of
the journal. What only overwrites rows, as most payments do, costs one pass over its few writes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tongbao.kernel.context import View, Work
from tongbao.kernel.identifiers import Address, Count
from tongbao.kernel.kernel_module import (
    COMMON,
    Allowance,
    Owned,
    Sponsorship,
    allowances,
    sponsorships,
    stored,
    stored_by_payer,
)
from tongbao.kernel.module import Table
from tongbao.kernel.quotas import ReadRow
from tongbao.kernel.reasons import KernelWhy, Refusal
from tongbao.kernel.state import State

Counts = Table[Address, Owned]

GetRow = Callable[[Table[Any, Any], Address], Any]
"""An account's row in a table, or None."""


def storage_payer(get: GetRow, owner: Address) -> Address:
    """Who pays for an account's rows: its sponsor, else itself with an allowance, else all.

    A sponsorship that has ended counts until it is revoked or replaced, so no clock moves rows.
    """
    standing: Sponsorship | None = get(sponsorships, owner)
    if standing is not None:
        return standing.sponsor
    return owner if get(allowances, owner) is not None else COMMON


def count_rows(state: State, mark: int) -> None:
    """Count what was put and removed since the journal had `mark` entries; never refuses.

    A row from before there were quotas was not counted, so no count goes below zero.
    """
    changed: dict[Address, int] = {}
    journal = state.journal
    for at in range(mark, len(journal)):
        _, _, old, new, table, key = journal[at]
        if (old is None) != (new is None):
            # An index entry has neither row, so here is a table.
            assert table is not None
            if table.owner is not None:
                owner = table.owner(key, old if new is None else new)
                changed[owner] = changed.get(owner, 0) + (-1 if new is None else 1)
    for owner, more in changed.items():
        if more:
            had = rows_in(state.read, stored, owner)
            has = max(0, had + more)
            _put(state, stored, owner, has)
            payer = storage_payer(lambda table, key: state.read(table, table.full_key(key)), owner)
            _add(state, payer, has - had)


def check_storage(state: State, mark: int, common_rows: int) -> None:
    """As `count_rows`, and refuse where who pays for more rows than before has no room for them."""
    count_rows(state, mark)
    before: dict[Address, int] = {}
    journal = state.journal
    for at in range(mark, len(journal)):
        _, _, old, _, table, key = journal[at]
        if table is stored_by_payer:
            before.setdefault(key, 0 if old is None else old.rows)  # type: ignore[attr-defined]
    for payer, had in before.items():
        has = rows_in(state.read, stored_by_payer, payer)
        if has > had and has > rows_limit(state.read, payer, common_rows):
            raise Refusal(KernelWhy.STORAGE_IS_FULL)


def rows_limit(read: ReadRow, payer: Address, common_rows: int) -> int:
    """How many rows one may pay for: as its allowance says, else as all in common."""
    allowance: Allowance | None = read(allowances, allowances.full_key(payer))
    told = None if allowance is None else allowance.rows
    return common_rows if told is None else told


def rows_in(read: ReadRow, table: Counts, account: Address) -> int:
    """A count, which has no row while it is zero."""
    found: Owned | None = read(table, table.full_key(account))
    return 0 if found is None else found.rows


def _put(state: State, table: Counts, account: Address, rows: int) -> None:
    full_key = table.full_key(account)
    if rows or state.read(table, full_key) is not None:
        state.write(table, account, full_key, Owned(rows=Count(rows)) if rows else None)


def _add(state: State, payer: Address, more: int) -> None:
    if more:
        had = rows_in(state.read, stored_by_payer, payer)
        assert had + more >= 0, payer
        _put(state, stored_by_payer, payer, had + more)


def payer_in(view: View, owner: Address) -> Address:
    """As `storage_payer`, for a function of the kernel's."""
    return storage_payer(lambda table, key: view[table].get(key), owner)


def move_rows(ctx: Work, owner: Address, before: Address) -> None:
    """Let who pays now pay for an account's rows, and `before` no more; quotas on or off."""
    owned = ctx[stored].get(owner)
    after = payer_in(ctx, owner)
    if owned is None or after == before:
        return
    for payer, more in ((before, -owned.rows), (after, owned.rows)):
        found = ctx[stored_by_payer].get(payer)
        rows = (0 if found is None else found.rows) + more
        assert rows >= 0, payer
        if rows:
            ctx[stored_by_payer][payer] = Owned(rows=Count(rows))
        else:
            del ctx[stored_by_payer][payer]
