"""One account, or a module's vault: balances, recent movements, keys, assets and holds."""

from __future__ import annotations

from typing import Any, Final

from tongbao.console import forms
from tongbao.console.recall import cursor_of
from tongbao.console.site import Asked, Site, View, follow, missing, not_understood
from tongbao.kernel import Address, Cursor
from tongbao.modules import account as accounts
from tongbao.modules import asset, hold

MOVEMENTS: Final = 25


def account(site: Site, asked: Asked) -> View:
    """Who may sign for an address, what it holds, and what moved lately."""
    address = forms.address(asked.path["address"])
    after = asked.query.get("after")
    try:
        facts, height = _state(site, address, None if after is None else Cursor(after))
        movements = _movements(site, address, asked.query.get("before"), height)
    except ValueError:
        raise not_understood("account.bad_cursor") from None
    return View(
        template="account.html",
        facts={"address": address, "is_first": after is None, **facts, **movements},
        height=height,
        follow=follow(height, account=address),
        again=movements["lag"] is not None,
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
            "placed": None,
            "expected": None,
        }
        if site.has("hold"):
            facts["placed"] = chain.query(hold.placed_by, address)
            facts["expected"] = chain.query(hold.held_for, address)
    return facts, height


def _movements(site: Site, address: Address, before: str | None, height: int) -> dict[str, Any]:
    """What the index recalls, and how far it is behind the chain. Raises ValueError."""
    index = site.index
    if index is None:
        return {"movements": None, "older": None, "lag": None}
    known = index.height
    rows = index.movements_of(address, before=before, limit=MOVEMENTS)
    return {
        "movements": rows,
        "older": cursor_of(rows[-1]) if len(rows) == MOVEMENTS else None,
        "lag": {"index": known, "chain": height} if known < height else None,
    }
