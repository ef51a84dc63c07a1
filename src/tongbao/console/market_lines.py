"""What the ledger has of an account's data business, as its page shows it: no row, no value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from tongbao.console.site import Site
from tongbao.kernel import Address, Cursor, Id, Time
from tongbao.modules import data
from tongbao.modules.data import Order

ENDED: Final = ("settled", "cancelled", "withdrawn", "lapsed", "upheld", "rejected")
LISTS: Final = ("offered", "sold", "bought", "kept", "holds", "attests")
"""The lists of the page; each goes on by a cursor of its name."""


class GrantLine(NamedTuple):
    """An order of an account's, the party on its other side, and when its phase ends."""

    name: Id
    order: Order
    other: Address
    until: Time | None


def market(site: Site, address: Address, cursors: Mapping[str, Cursor]) -> dict[str, Any]:
    """The facts of `market.html`, at the height that is being read. Raises ValueError.

    Lists go on by cursors of their names.
    """
    if not site.has("data"):
        return {"enterprise": None, "market": dict.fromkeys(LISTS, ()), "market_after": {}}
    chain = site.chain
    pages: dict[str, Any] = {
        "offered": chain.query(data.offers_of, address, cursors.get("offered")),
        "sold": chain.query(data.statement, address, cursors.get("sold")),
        "bought": chain.query(data.bought, address, cursors.get("bought")),
        "kept": chain.query(data.licensed_by, address, cursors.get("kept")),
        "holds": chain.query(data.licensed_to, address, cursors.get("holds")),
        "attests": chain.query(data.admitted, address, cursors.get("attests")),
    }
    lists = {name: page.rows for name, page in pages.items()}
    lists["sold"] = _lines(site, pages["sold"].rows, "buyer")
    lists["bought"] = _lines(site, pages["bought"].rows, "owner")
    return {
        "enterprise": chain.query(data.enterprise, address),
        "market": lists,
        "market_after": {name: page.after for name, page in pages.items()},
    }


def _lines(site: Site, rows: Iterable[tuple[Id, Order]], other: str) -> list[GrantLine]:
    return [
        GrantLine(name, order, getattr(order, other), until(site, order)) for name, order in rows
    ]


def until(site: Site, order: Order) -> Time | None:
    """When the phase of an order ends, as far as is known now; None where none is awaited."""
    if order.phase in ENDED or order.late:
        return None
    clock = site.chain.query(data.clock)
    return Time(order.deadline + (0 if clock is None else clock.grown - order.grown))
