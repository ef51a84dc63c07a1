"""A supervisor's desk: its freezes in force, its acts and their count, and commands for more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct

from tongbao.console import forms
from tongbao.console.acting import acts_for
from tongbao.console.acts import PAGES, TRANSACTIONS, acts_by, in_force
from tongbao.console.asking import Asked, View, follow, missing, not_understood
from tongbao.console.commands import command
from tongbao.console.fields import Ground, form
from tongbao.console.site import Site
from tongbao.kernel import Address, Amount, AssetId
from tongbao.modules import account as accounts
from tongbao.modules import asset, member
from tongbao.modules.asset import Scope
from tongbao.modules.governance import Duration

SUPERVISOR: Final = "supervisor"
SECOND_MS: Final = 1_000


class Freeze(Struct, frozen=True):
    """What a freeze is ordered with."""

    account: Address
    asset: AssetId
    scope: Scope
    reason: Ground
    lasts: Duration


class Unfreeze(Struct, frozen=True):
    """What the end of a freeze is ordered with."""

    account: Address
    asset: AssetId


class ClawBack(Struct, frozen=True):
    """What an issuer takes value back with."""

    account: Address
    asset: AssetId
    amount: Amount
    reason: Ground


ORDERS: Final[Mapping[str, type[Struct]]] = {
    "freeze": Freeze,
    "unfreeze": Unfreeze,
    "claw_back": ClawBack,
}
"""What can be ordered at the desk."""


def _about(order: Any) -> tuple[str, ...]:
    return "--asset", order.asset, "--account", order.account


def _freeze(order: Freeze) -> tuple[str, ...]:
    until = f"+{order.lasts // SECOND_MS}s"
    why = "--reason", str(order.reason), "--until", until
    return "freeze", *_about(order), "--scope", order.scope, *why, "--as-supervisor"


def _unfreeze(order: Unfreeze) -> tuple[str, ...]:
    return "unfreeze", *_about(order), "--as-supervisor"


def _claw_back(order: ClawBack) -> tuple[str, ...]:
    how = "--amount", str(order.amount), "--reason", str(order.reason)
    return "claw-back", *_about(order), *how


WRITES: Final[Mapping[type[Struct], Callable[[Any], tuple[str, ...]]]] = {
    Freeze: _freeze,
    Unfreeze: _unfreeze,
    ClawBack: _claw_back,
}
"""The command for each order."""


def desk(site: Site, asked: Asked) -> View:
    """What a supervisor has done and may do: freezes that end soon, acts, tally, commands."""
    address = forms.address(asked.path["address"])
    before = asked.query.get("before")
    chain = site.chain
    with chain.reading() as height:
        acting = acts_for(site, [address]).get(address)
        tallies = [(key[1], tally) for key, tally in chain.query(asset.acts_by, address).rows]
        is_supervisor = acting is not None and acting.has_role(member.SUPERVISOR)
        if not is_supervisor and SUPERVISOR not in dict(tallies):
            raise missing("desk.missing_title", "desk.missing", id=address)
        now = chain.head().time
    acts = acts_by(site, address, before, now)
    freezes, saw_all = in_force(site, address, acts, now) if before is None else ([], True)
    return View(
        template="desk.html",
        facts={
            "address": address,
            "acting": acting,
            "is_supervisor": is_supervisor,
            "tallies": tallies,
            "acts": acts,
            "freezes": freezes,
            "saw_all": saw_all,
            "looked": PAGES * TRANSACTIONS,
            "is_first": before is None,
            **_ordered(site, address, asked.query),
        },
        height=height,
        follow=follow(height, account=address) if before is None and not asked.query else None,
        again=0 <= acts.height < height,
        json=f"/v1/asset/acts-by?actor={address}",
    )


def _ordered(site: Site, address: Address, query: Mapping[str, str]) -> dict[str, Any]:
    """The form of an order, and its command once it is filled in. Raises PageError."""
    name = query.get("order", "freeze")
    if name not in ORDERS:
        raise not_understood("desk.no_order")
    found = form(site, ORDERS[name], query, "sent" in query)
    facts: dict[str, Any] = {"orders": tuple(ORDERS), "order": name, "form": found}
    facts |= {"line": None, "target": None, "is_open": True}
    if found.value is not None:
        words = WRITES[type(found.value)](found.value)
        facts["line"] = command("asset", *words, "--as", address)
        facts["target"] = target = found.value.account
        row = site.chain.query(accounts.show, target)
        facts["is_open"] = row is not None and row.closed_into is None
    return facts
