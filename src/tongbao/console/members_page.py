"""The members of a consortium, one of them, what is reserved for whom, and what is halted."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from tongbao.console import forms
from tongbao.console.acting import ACTIVE
from tongbao.console.asking import Asked, View, follow, missing, not_understood
from tongbao.console.site import Site
from tongbao.kernel import Address, Cursor, Name, Time
from tongbao.kernel.kernel_module import Halt
from tongbao.modules import asset, governance
from tongbao.modules import member as members_module
from tongbao.modules.asset import Tally
from tongbao.modules.member import Lei, Member

SUPERVISOR: Final = members_module.SUPERVISOR
DECIDED: Final = "governance.decided"
"""The event that comes with whatever operators have changed."""


class Line(NamedTuple):
    """A member in the list, and the accounts that act for it."""

    lei: Lei
    member: Member
    accounts: tuple[Address, ...]


class Stopped(NamedTuple):
    """A halt in force: its module, those that stand still with it, and its end."""

    name: str
    others: tuple[str, ...]
    until: Time


class Seat(NamedTuple):
    """An account of a member: whether it is an operator, and how often it has acted on holdings."""

    address: Address
    is_operator: bool
    tallies: tuple[tuple[str, Tally], ...]
    has_desk: bool


def members(site: Site, asked: Asked) -> View:
    """Members with their roles and accounts, reserved messages, and halts in force."""
    after = asked.query.get("after")
    chain = site.chain
    facts: dict[str, Any] = {"is_kept": site.has("member"), "is_first": after is None}
    with chain.reading() as height:
        facts["lines"], facts["after"] = _lines(site, after)
        facts["reserved"] = chain.query(members_module.reserved).rows if facts["is_kept"] else ()
        facts["halts"] = _halts(site) if site.has("governance") else ()
    return View(
        template="members.html",
        facts=facts,
        height=height,
        follow=follow(height, type=DECIDED) if after is None else None,
        json="/v1/member/listed" if facts["is_kept"] else None,
    )


def _lines(site: Site, after: str | None) -> tuple[list[Line], str | None]:
    """A page of members, and where the next one begins. Raises PageError."""
    if not site.has("member"):
        return [], None
    chain = site.chain
    try:
        page = chain.query(members_module.listed, None if after is None else Cursor(after))
    except ValueError:
        raise not_understood("account.bad_cursor") from None
    return [Line(lei, row, _accounts(site, lei)) for lei, row in page.rows], page.after


def _accounts(site: Site, lei: Lei) -> tuple[Address, ...]:
    """The accounts that act for a member; there are at most 16."""
    return tuple(address for address, _ in site.chain.query(members_module.accounts, lei).rows)


def _halts(site: Site) -> list[Stopped]:
    """The halts in force, by the time of the last block."""
    now = site.chain.head().time
    rows = site.chain.query(governance.halts).rows
    return [_stopped(site, name, row) for name, row in rows if now < row.until]


def _stopped(site: Site, name: Name, row: Halt) -> Stopped:
    stopped = (module.name for module in site.chain.registry.stopped_with(name))
    return Stopped(name, tuple(other for other in stopped if other != name), row.until)


def member(site: Site, asked: Asked) -> View:
    """One member: status, roles, what these may send, its accounts, and their public tally."""
    lei = forms.lei(asked.path["lei"])
    chain = site.chain
    with chain.reading() as height:
        row = chain.query(members_module.show, lei) if site.has("member") else None
        if row is None:
            raise missing("member.missing_title", "member.missing", id=lei)
        reserved = chain.query(members_module.reserved).rows
        facts = {
            "lei": lei,
            "row": row,
            "meanings": chain.registry.roles,
            "may_send": [
                name for name, found in reserved if not set(found.roles).isdisjoint(row.roles)
            ],
            "seats": [_seat(site, address, row) for address in _accounts(site, lei)],
        }
    return View(
        template="member.html",
        facts=facts,
        height=height,
        follow=follow(height, type=DECIDED),
        json=f"/v1/member/show?lei={lei}",
    )


def _seat(site: Site, address: Address, row: Member) -> Seat:
    council = site.chain.query(governance.operators) if site.has("governance") else None
    found = site.chain.query(asset.acts_by, address).rows
    tallies = tuple((str(capacity), tally) for (_, capacity), tally in found)
    is_operator = council is not None and address in council.operators
    is_supervisor = row.status == ACTIVE and SUPERVISOR in row.roles
    has_desk = is_supervisor or SUPERVISOR in dict(tallies)
    return Seat(address, is_operator, tallies, has_desk)
