"""Who asked for what: the agents' logs and the ledger's orders put together, the refused too."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from tongbao.services.my_data.agents import AgentError, shown
from tongbao.services.my_data.ledger import Owned
from tongbao.services.my_data.person import Person

WHY_LIMIT: Final = 500
LAST_MS: Final = 253_402_300_799_999
"""The last moment that can be shown as a date."""

# What an agent tells is shown, looked up on the ledger and counted with: it is held to its form.
_Word = Annotated[str, Meta(pattern=r"^[!-~]{0,100}\Z")]
_Words = Annotated[tuple[_Word, ...], Meta(max_length=1_000)]
_Name = Annotated[str, Meta(pattern=r"^[0-9a-f]{40}\Z")]
_Moment = Annotated[int, Meta(ge=0, le=LAST_MS)]
_Number = Annotated[int, Meta(ge=0, le=99_999)]


class Asked(Struct, frozen=True, kw_only=True):
    """One request or order: who, for what, why, until when, how much, and what became of it.

    `state` is `refused` with the agent's number and rule, `asked` while no order followed, else the
    phase of the order on the ledger. What can't be known is empty or None.
    """

    agent: str | None
    asset: str
    at: int | None
    batches: tuple[str, ...]
    buyer: str
    delete_by: int | None
    fee: str
    fields: tuple[str, ...]
    number: int = 0
    order: str | None
    price: str
    purpose: str
    rule: str = ""
    schema: str
    state: str
    why: str


class Log(Struct, frozen=True, kw_only=True):
    """Everything that was asked, the newest first, and agents that do not answer."""

    asked: tuple[Asked, ...]
    silent: tuple[tuple[str, str], ...]


class _Order(Struct, frozen=True):
    order: _Name
    step: str = ""
    refused: _Number = 0


class _Terms(Struct, frozen=True, kw_only=True):
    asset: _Word = ""
    batches: _Words = ()
    delete_by: _Moment | None = None
    fee: _Word = ""
    fields: _Words = ()
    price: _Word = ""
    purpose: _Word = ""
    schema: _Word = ""
    why: str = ""


class _Line(Struct, frozen=True, kw_only=True):
    at: _Moment
    buyer: _Name
    orders: tuple[_Order, ...] = ()
    refused: _Number = 0
    request: _Terms | None = None
    rule: Annotated[str, Meta(max_length=200)] = ""


def asked(person: Person, owned: Owned) -> Log:
    """Ask every agent, and the ledger for what went by no agent."""
    found: list[Asked] = []
    silent: list[tuple[str, str]] = []
    for agent in person.notebook.agents:
        try:
            lines = person.door(agent).requests()
            found += [one for line in lines for one in read_line(agent, line, owned)]
        except AgentError as error:
            silent.append((agent, str(error)))
    known = {one.order for one in found}
    found += [_of_order(name, owned) for name in owned.orders if name not in known]
    found.sort(key=lambda one: one.at or 0, reverse=True)
    return Log(asked=tuple(found), silent=tuple(silent))


def read_line(agent: str, line: dict[str, Any], owned: Owned) -> list[Asked]:
    """One line of an agent's log, once for each order that followed. Raises AgentError."""
    try:
        read = msgspec.convert(line, _Line)
    except msgspec.ValidationError as error:
        raise AgentError(f"the agent's log can't be read: {error}") from None
    terms = read.request or _Terms()
    told: dict[str, Any] = {
        "agent": agent,
        "asset": terms.asset,
        "at": read.at,
        "batches": terms.batches,
        "buyer": read.buyer,
        "delete_by": terms.delete_by,
        "fee": terms.fee,
        "fields": terms.fields,
        "price": terms.price,
        "purpose": terms.purpose,
        "schema": terms.schema,
        "why": shown(terms.why[:WHY_LIMIT]),
    }
    if not read.orders:
        state = "refused" if read.refused else "asked"
        return [Asked(**told, order=None, state=state, number=read.refused, rule=shown(read.rule))]
    return [
        Asked(
            **told,
            order=one.order,
            state=_state(one, owned),
            number=one.refused,
            rule=shown(read.rule) if one.refused else "",
        )
        for one in read.orders
    ]


def _state(one: _Order, owned: Owned) -> str:
    """The ledger says what an order is; an agent only that it does not seal it."""
    order = owned.orders.get(one.order)
    if order is None:
        return "unknown"
    return "refused" if one.refused and order.phase == "open" else str(order.phase)


def _of_order(name: str, owned: Owned) -> Asked:
    order = owned.orders[name]
    return Asked(
        agent=order.seller if order.seller != order.owner else None,
        asset=order.asset,
        at=order.confirmed_at or order.ended_at,
        batches=order.batches,
        buyer=order.buyer,
        delete_by=order.delete_by,
        fee=str(order.fee),
        fields=order.fields,
        order=name,
        price=str(order.price),
        purpose=order.purpose,
        schema=order.schema,
        state=order.phase,
        why="",
    )
