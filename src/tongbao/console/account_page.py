"""One account, or a module's vault: balances, controls, recent movements, keys, assets, holds."""

from __future__ import annotations

from typing import Any

from tongbao.console import forms
from tongbao.console.asking import Asked, View, follow, missing, not_understood
from tongbao.console.movements import recall
from tongbao.console.site import Site
from tongbao.console.standing_lines import standing_lines
from tongbao.kernel import Address, Cursor
from tongbao.modules import account as accounts
from tongbao.modules import asset, hold


def account(site: Site, asked: Asked) -> View:
    """Who may sign for an address, what it holds, and what moved lately."""
    address = forms.address(asked.path["address"])
    after = asked.query.get("after")
    try:
        facts, height = _state(site, address, None if after is None else Cursor(after))
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


def _state(site: Site, address: Address, after: Cursor | None) -> tuple[dict[str, Any], int]:
    """What the state says, and the height that it is true at. Raises PageError, ValueError."""
    chain = site.chain
    with chain.reading() as height:
        row = chain.query(accounts.show, address)
        vault = site.vaults.get(address)
        if row is None and vault is None:
            raise missing("account.missing_title", "account.missing", id=address)
        facts: dict[str, Any] = {
            "row": row,
            "vault": vault,
            "held": chain.query(asset.held_by, address, after),
            "issued": chain.query(asset.issued_by, address),
            "standing": list(standing_lines(chain.query(asset.controls_on, address).rows)),
            "acts": chain.query(asset.acts_on, address).rows,
            "placed": None,
            "expected": None,
        }
        if site.has("hold"):
            facts["placed"] = chain.query(hold.placed_by, address)
            facts["expected"] = chain.query(hold.held_for, address)
    return facts, height
