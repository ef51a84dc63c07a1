"""One grant: what was asked for and consented to, how far it is, and until when it lasts."""

from __future__ import annotations

from typing import Final, NamedTuple

from tongbao.console import forms
from tongbao.console.asking import Asked, View, follow, missing
from tongbao.console.market_lines import ENDED, until
from tongbao.console.site import Site
from tongbao.kernel import Address, Id, Time
from tongbao.modules import data
from tongbao.modules.data import Licence, Order

LICENCES_LOOKED_AT: Final = 20
"""Pages of a buyer's licences in which that of a grant is looked for."""


class Step(NamedTuple):
    """A step of an order: whether it was taken, by whom, and when, as far as the ledger has it."""

    name: str
    is_taken: bool
    by: Address | None = None
    at: Time | None = None


def grant(site: Site, asked: Asked) -> View:
    """One order for data, to who is a party to it: its terms, its steps, its licence."""
    address = forms.address(asked.path["address"])
    name = forms.order(asked.path["order"])
    with site.chain.reading() as height:
        order = site.chain.query(data.order, Id(name)) if site.has("data") else None
        if order is None or address not in (order.buyer, order.owner, order.seller):
            raise missing("data.missing_title", "data.missing", id=name, address=address)
        facts = {
            "address": address,
            "name": name,
            "order": order,
            "steps": steps_of(order),
            "until": until(site, order),
            "licence": _licence(site, Id(name), order),
        }
    return View(
        template="grant.html",
        facts=facts,
        height=height,
        follow=follow(height, account=address),
        json=_json(address, name, order),
    )


def _json(address: Address, name: str, order: Order) -> str:
    """Where a program reads the same, out of what is the account's own if it can be."""
    if address == order.owner:
        return f"/v1/data/statement?owner={address}"
    if address == order.buyer:
        return f"/v1/data/bought?buyer={address}"
    return f"/v1/data/order?order={name}"


def steps_of(order: Order) -> list[Step]:
    """The steps that an order has taken, and those that it still has before it."""
    steps = [
        Step("asked", is_taken=True, by=order.buyer, at=order.asked_at),
        Step("sealed", order.seller is not None, order.seller, order.sealed_at),
        Step("confirmed", order.confirmed_at is not None, order.buyer, order.confirmed_at),
        Step("revealed", order.b is not None, order.seller, order.revealed_at),
    ]
    if order.panel:
        steps.append(Step("claimed", is_taken=True, by=order.buyer))
    has_ended = order.phase in ENDED
    last = str(order.phase) if has_ended else "ended"
    if has_ended:
        steps = [step for step in steps if step.is_taken]
    return [*steps, Step(last, has_ended, at=order.ended_at)]


def _licence(site: Site, name: Id, order: Order) -> Licence | None:
    """The licence that is left of an order, if it is found among its buyer's."""
    after = None
    for _ in range(LICENCES_LOOKED_AT if order.b is not None else 0):
        page = site.chain.query(data.licensed_to, order.buyer, after)
        found = next((row for _, row in page.rows if row.order == name), None)
        if found is not None or page.after is None:
            return found
        after = page.after
    return None
