"""What the page shows, as plain facts: everything is read anew from ledger and agents."""

from __future__ import annotations

from msgspec import Struct

from tongbao.kernel import Address
from tongbao.modules import data, member
from tongbao.services.my_data.asked import Asked, asked
from tongbao.services.my_data.ledger import MAY_WITHDRAW, Owned, earnings_of
from tongbao.services.my_data.notebook import Notebook
from tongbao.services.my_data.person import Person
from tongbao.services.my_data.statement import Statement, statement

TONES = {
    "asked": "wait",
    "cancelled": "",
    "claimed": "wait",
    "confirmed": "wait",
    "lapsed": "",
    "open": "wait",
    "refused": "bad",
    "rejected": "good",
    "revealed": "wait",
    "sealed": "wait",
    "settled": "good",
    "unknown": "bad",
    "upheld": "bad",
    "withdrawn": "",
}
"""How each state is coloured; its word stands beside."""


class Shown(Struct, kw_only=True):
    """All that the page tells."""

    account: str
    asked: tuple[Asked, ...]
    gaps: list[tuple[str, str, str]]
    licences: dict[str, data.Licence]
    live: frozenset[str]
    may_withdraw: frozenset[str]
    names: dict[str, str]
    notebook: Notebook
    offers: dict[str, data.Offer]
    periods: dict[str, str]
    refused: tuple[Asked, ...]
    silent: tuple[str, ...]
    statement: Statement
    waiting: dict[str, str]


def show(person: Person) -> Shown:
    """Look at everything."""
    owned = person.owned()
    log = asked(person, owned)
    refused = tuple(one for one in log.asked if one.state == "refused")
    notebook = person.notebook
    buyers = {one.buyer for one in log.asked} | {one.buyer for one in owned.licences.values()}
    sources = {one.source for one in notebook.batches} | {one[0] for one in owned.gaps()}
    return Shown(
        account=person.account,
        asked=tuple(one for one in log.asked if one.state != "refused"),
        gaps=owned.gaps(),
        licences=owned.licences,
        live=frozenset(name for name in owned.batches if owned.is_live(name)),
        may_withdraw=may_withdraw(owned),
        names={name: name_of(person, name) for name in sorted(buyers | sources)},
        notebook=notebook,
        offers=owned.offers,
        periods={name: str(row.period) for name, row in owned.batches.items()},
        refused=refused,
        silent=tuple(agent for agent, _ in log.silent),
        statement=statement(owned),
        waiting={
            str(name): amount for name, amount in earnings_of(person.chain, owned.owner).items()
        },
    )


def may_withdraw(owned: Owned) -> frozenset[str]:
    """The orders to which the person may still say no."""
    return frozenset(name for name, one in owned.orders.items() if one.phase in MAY_WITHDRAW)


def name_of(person: Person, account: str) -> str:
    """The institution that an account acts for, else the account. Persons have no names here."""
    acting = person.chain.query(member.acting, account=Address(account))
    found = None if acting is None else person.chain.query(member.show, lei=acting.member)
    return account if found is None else str(found.name)
