"""What others may do to an account, as its page shows it: guardians, recoveries, mandates."""

from __future__ import annotations

from typing import Any

from tongbao.console.site import Site
from tongbao.kernel import Address, Amount
from tongbao.modules import account, mandate
from tongbao.modules.mandate import Mandate


def guarded(site: Site, address: Address) -> dict[str, Any]:
    """The facts of `guarded.html`, at the height that is being read."""
    chain = site.chain
    granted = chain.query(mandate.granted_by, address).rows if site.has("mandate") else ()
    return {
        "guard": chain.query(account.guardians, address),
        "change": chain.query(account.change, address),
        "recoveries": chain.query(account.recoveries_under_way, address).rows,
        "mandates": [(name, row, left_of(row)) for name, row in granted],
    }


def left_of(row: Mandate) -> Amount:
    """What a mandate still allows in all."""
    return Amount.of(row.total - row.spent, row.total.decimals)
