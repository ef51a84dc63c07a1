"""The history of an account: every transaction that it sent or that moved something of it."""

from __future__ import annotations

from tongbao.console import forms
from tongbao.console.asking import Asked, View, follow, missing, not_understood
from tongbao.console.movements import MOVEMENTS
from tongbao.console.site import Site
from tongbao.index import Transactions
from tongbao.index.database import FAILURES
from tongbao.kernel import Address
from tongbao.modules import account as accounts


def history(site: Site, asked: Asked) -> View:
    """What an account sent, also when it was refused, and took part in, the newest first."""
    address = forms.address(asked.path["address"])
    with site.chain.reading() as height:
        is_known = site.chain.query(accounts.show, address) is not None or address in site.vaults
    if not is_known:
        raise missing("account.missing_title", "account.missing", id=address)
    page, why = _recalled(site, address, asked)
    lags = page is not None and page.height < height
    return View(
        template="history.html",
        facts={"address": address, "recalled": page, "why": why, "lags": lags},
        height=height,
        follow=follow(height, account=address),
        again=lags,
        json=f"/v1/accounts/{address}/transactions",
    )


def _recalled(site: Site, address: Address, asked: Asked) -> tuple[Transactions | None, str]:
    """A page, or the key of the text why there is none. Raises PageError."""
    if site.index is None:
        return None, "account.no_index"
    try:
        before = asked.query.get("before")
        return site.index.transactions_of(address, before=before, limit=MOVEMENTS), ""
    except ValueError:
        raise not_understood("account.bad_cursor") from None
    except FAILURES:
        return None, "account.index_failed"
