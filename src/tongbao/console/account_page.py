"""One account, or a module's vault: balances, controls, recent movements, keys, assets, holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tongbao.console import forms
from tongbao.console.acting import acts_for
from tongbao.console.asking import Asked, View, follow, missing, not_understood
from tongbao.console.guarded import guarded
from tongbao.console.market_lines import market
from tongbao.console.movements import recall
from tongbao.console.site import Site
from tongbao.console.standing_lines import NOTHING, general_lines, standing_lines
from tongbao.kernel import Address, AssetId, Cursor
from tongbao.modules import account as accounts
from tongbao.modules import asset, hold, member


def account(site: Site, asked: Asked) -> View:
    """Who may sign for an address, what it holds, and what moved lately."""
    address = forms.address(asked.path["address"])
    after = asked.query.get("after")
    try:
        facts, height = _state(site, address, asked.query)
    except ValueError:
        raise not_understood("account.bad_cursor") from None
    recalled = recall(site.index.movements_of if site.index else None, address, asked, height)
    return View(
        template="account.html",
        facts={"address": address, "is_first": after is None, "recalled": recalled, **facts},
        height=height,
        follow=follow(height, account=address),
        again=recalled.lags,
        json=f"/v1/accounts/{address}",
    )


def _state(site: Site, address: Address, query: Mapping[str, str]) -> tuple[dict[str, Any], int]:
    """What the state says, and the height that it is true at. Raises PageError, ValueError.

    The query has the cursors of lists: `after` of balances, `stands`, `acts`, those of `market`.
    """
    chain = site.chain
    cursors = {name: Cursor(text) for name, text in query.items()}
    with chain.reading() as height:
        row = chain.query(accounts.show, address)
        vault = site.vaults.get(address)
        if row is None and vault is None:
            raise missing("account.missing_title", "account.missing", id=address)
        held = chain.query(asset.held_by, address, cursors.get("after"))
        acts = chain.query(asset.acts_on, address, cursors.get("acts"))
        facts: dict[str, Any] = {
            "row": row,
            "vault": vault,
            "held": held,
            "issued": chain.query(asset.issued_by, address),
            **_controlled(site, address, [key[1] for key, _ in held.rows], cursors.get("stands")),
            "acts": acts.rows,
            "acts_after": acts.after,
            **guarded(site, address),
            **market(site, address, cursors),
            **_acting(site, address),
            "placed": None,
            "expected": None,
        }
        if site.has("hold"):
            facts["placed"] = chain.query(hold.placed_by, address)
            facts["expected"] = chain.query(hold.held_for, address)
    return facts, height


def _controlled(
    site: Site, address: Address, held: list[AssetId], after: Cursor | None
) -> dict[str, Any]:
    """What stands on its holdings, by rows of their own and by what their assets ask of all."""
    chain = site.chain
    page = chain.query(asset.controls_on, address, after)
    standings = {key[1]: row for key, row in page.rows}
    rules = {}
    for one in dict.fromkeys((*held, *standings)):
        controls = chain.query(asset.controls_of, one)
        if controls is not None:
            rules[one] = controls
            if one not in standings:
                standings[one] = chain.query(asset.standing_of, address, one) or NOTHING
    lines = [
        *general_lines(address, rules, standings),
        *standing_lines(page.rows, chain.head().time),
    ]
    return {"standing": lines, "stands_after": page.after}


def _acting(site: Site, address: Address) -> dict[str, Any]:
    """For which member it acts, and whether it has a desk as a supervisor."""
    acting = acts_for(site, [address]).get(address)
    has_desk = acting is not None and acting.has_role(member.SUPERVISOR)
    return {"acts_for": acting, "has_desk": has_desk}
