"""Quotas of rows in the model: everything that is owned is counted before and after."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from tongbao.simulation.model.books import Books, No, Turn
from tongbao.simulation.model.numbers import KernelWhy
from tongbao.simulation.model.sponsors import COMMON

DATA_OWNERS: Final = {"data_batches": "source", "data_offers": "owner", "data_orders": "buyer"}

Copied = dict[str, dict[Any, Any]]


def owned(books: Copied) -> Counter[str]:
    """How many rows everybody owns, of those kinds that are counted."""
    found = Counter([*books["accounts"], *books["incoming"]])
    found.update(parent for parent, _ in books["sub_accounts"])
    # What is written about an asset is its issuer's.
    named = [*books["assets"], *(name for _, name in books["balances"])]
    named += [name for name, _ in books["settled"]]
    found.update(name.partition(".")[2] for name in named)
    found.update(held.payer for held in books["holds"].values())
    found.update(one.owner for one in books["mandates"].values())
    found.update(one.sponsor for one in books["offers"].values())
    found.update(name for name, *_ in (*books["data_bonds"], *books["data_committed"]))
    for table, owner in DATA_OWNERS.items():
        found.update(row[owner] for row in books[table].values())
    return found


def by_payer(books: Copied) -> Counter[str]:
    """How many rows each one pays for."""
    found: Counter[str] = Counter()
    for name, rows in books["stored"].items():
        standing = books["sponsorships"].get(name)
        own = name if name in books["allowances"] else COMMON
        found[own if standing is None else standing.sponsor] += rows
    return found


def count(turn: Turn, before: Copied) -> None:
    """Write down what came and went; what was never counted goes without a trace."""
    books: Books = turn.books
    if not turn.values["kernel.quotas"]:
        return
    change = owned(vars(books))
    change.subtract(owned(before))
    for name, more in change.items():
        rows = max(0, books.stored.pop(name, 0) + more)
        if rows:
            books.stored[name] = rows


def judge(turn: Turn, before: Copied) -> None:
    """As `count`, for a transaction: nobody pays for more than may be, and more than before."""
    if not turn.values["kernel.quotas"]:
        return
    count(turn, before)
    had = by_payer(before)
    for payer, rows in by_payer(vars(turn.books)).items():
        allowance = turn.books.allowances.get(payer)
        told = None if allowance is None else allowance[3]
        most = turn.values["kernel.common_rows"] if told is None else told
        if rows > had[payer] and rows > most:
            raise No(KernelWhy.STORAGE_IS_FULL)
