"""What the ledger says about a person: batches, offers, orders, licences, earnings, keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from tongbao.kernel import Address, AssetId, Id
from tongbao.modules import account, data
from tongbao.sdk.client import Client

PAGES_LIMIT: Final = 1_000
"""Pages that are read of one list: more rows than a person can have."""

MAY_WITHDRAW: Final = ("open", "sealed", "confirmed")
"""Phases of an order in which its owner may still say no."""

SOLD: Final = ("settled", "rejected")
"""Ends of an order for which the owner has earned its price less the fee."""


class EndlessList(Exception):
    """A node goes on answering pages; it is not believed."""

    exit_code = 65
    advice = "ask another node: change the address with `tongbao mydata move --node URL`"


def every(chain: Client, query: Callable[..., Any], **key: str) -> Iterator[tuple[Any, Any]]:
    """All rows of a query that answers pages. Raises EndlessList."""
    after = None
    for _ in range(PAGES_LIMIT):
        page = chain.query(query, **key, after=after)
        yield from page.rows
        after = page.after
        if after is None:
            return
    raise EndlessList(f"more than {PAGES_LIMIT} pages of one list")


class Owned:
    """What the ledger has of one account, read once: batches, offers and orders by their ids."""

    def __init__(self, chain: Client, owner: str) -> None:
        """Read it all."""
        self.chain = chain
        self.owner = Address(owner)
        self.batches: dict[str, data.Batch] = dict(every(chain, data.batches_of, owner=owner))
        self.offers: dict[str, data.Offer] = dict(every(chain, data.offers_of, owner=owner))
        self.orders: dict[str, data.Order] = dict(every(chain, data.statement, owner=owner))
        self.licences: dict[str, data.Licence] = dict(every(chain, data.licensed_by, owner=owner))
        self._by_commitment = {str(row.commitment): name for name, row in self.batches.items()}

    def of_commitment(self, commitment: str) -> tuple[str, data.Batch] | None:
        """The batch of a commitment, with its id."""
        name = self._by_commitment.get(commitment)
        return None if name is None else (name, self.batches[name])

    def is_live(self, batch: str) -> bool:
        """Whether a batch can be sold: neither superseded nor retired."""
        row = self.batches.get(batch)
        return row is not None and not row.superseded and not row.retired

    def month_of(self, batch: str) -> tuple[str, ...]:
        """The batch and all versions of the same month by the same source, the oldest first."""
        row = self.batches[batch]
        same = [
            name
            for name, other in self.batches.items()
            if (other.source, other.subject, other.schema, other.period)
            == (row.source, row.subject, row.schema, row.period)
        ]
        return tuple(sorted(same, key=lambda name: self.batches[name].version))

    def is_erased(self, batch: str) -> bool:
        """Whether any version of the batch's month was retired: then all of it is to be erased."""
        return any(self.batches[name].retired for name in self.month_of(batch))

    def orders_of(self, batches: frozenset[str], phases: tuple[str, ...]) -> list[str]:
        """The orders in these phases that ask for any of these batches."""
        return [
            name
            for name, order in self.orders.items()
            if order.phase in phases and not batches.isdisjoint(order.batches)
        ]

    def gaps(self) -> list[tuple[str, str, str]]:
        """Months that a source left out between two that it told of: (source, schema, month)."""
        told: dict[tuple[str, str], set[str]] = {}
        for row in self.batches.values():
            told.setdefault((row.source, row.schema), set()).add(row.period)
        return [
            (source, schema, month)
            for (source, schema), months in sorted(told.items())
            for month in months_between(min(months), max(months))
            if month not in months
        ]


def months_between(first: str, last: str) -> Iterator[str]:
    """Each month from one to another, both included, as YYYY-MM."""
    year, month = int(first[:4]), int(first[5:])
    while (found := f"{year:04}-{month:02}") <= last:
        yield found
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def keys_of(chain: Client, address: str) -> frozenset[str]:
    """The keys that an account has now, in base64url; none for a closed one."""
    found = chain.query(account.show, address=Address(address))
    if found is None or found.closed_into is not None:
        return frozenset()
    return frozenset(str(entry.key.public) for entry in found.keys)


def attesting_keys(chain: Client, source: str) -> frozenset[str]:
    """The keys by which a source attests: those that it has, and those it had when admitted."""
    found = set(keys_of(chain, source))
    for _, row in every(chain, data.admitted, source=source):
        found.update(map(str, row.keys))
    return frozenset(found)


def earnings_of(chain: Client, owner: str) -> dict[AssetId, str]:
    """What can be pulled, by asset."""
    rows = every(chain, data.earned, account=owner)
    return {name: str(row.amount) for (_, name), row in rows}


def order_id(text: str) -> Id:
    """An id as somebody has typed it. Raises ValueError."""
    if len(text) != 40 or not set(text) <= set("0123456789abcdef"):
        raise ValueError(f"{text[:60]!r} is no id: it has 40 hex digits")
    return Id(text)
