"""What the agent's folder and the ledger say, read beside the agent."""

from __future__ import annotations

import threading
from typing import Any

from tests.sdk.kept_chain import PASSPHRASE
from tests.services.data_agent.market import ADDRESSES, CNY, Market
from tongbao.kernel import Id
from tongbao.modules import data
from tongbao.sdk.vault import Vault
from tongbao.services.data_agent.folder import VAULT
from tongbao.services.data_agent.journal import Journal

LOOK_S = 0.02


def earned(shop: Market) -> int:
    """What alice has earned and not pulled, in units."""
    rows = shop.chain.query(data.earned, ADDRESSES["alice"]).rows
    return sum(one.amount.units for (_, name), one in rows if name == CNY)


def row_of(shop: Market, order: Id) -> Any:
    """The journal's line of an order, read beside the agent."""
    journal = Journal(shop.agent_folder, writes=False)
    try:
        return journal.row("SELECT * FROM orders WHERE id = ?", order)
    finally:
        journal.close()


def secrets_left(shop: Market) -> list[str]:
    """The records of orders in the agent's vault."""
    with Vault.open(shop.agent_folder / VAULT, PASSPHRASE) as vault:
        return [name for name in vault.names() if name.startswith("order-")]


def until_step(shop: Market, order: Id, *steps: str) -> Any:
    """The journal's line once it says one of these steps; the caller's deadline is pytest's."""
    row = row_of(shop, order)
    while row is None or row["step"] not in steps:
        threading.Event().wait(LOOK_S)
        row = row_of(shop, order)
    return row


def until_over(shop: Market, order: Id, *steps: str) -> None:
    """Wait until the agent has destroyed what it had of an order."""
    row = until_step(shop, order, *steps)
    while row["blob"] or f"order-{order}" in secrets_left(shop):
        threading.Event().wait(LOOK_S)
        row = row_of(shop, order)


def until_tidy(shop: Market) -> None:
    """Wait until the agent has deleted all blobs that nothing needs."""
    journal = Journal(shop.agent_folder, writes=False)
    try:
        while journal.left():
            threading.Event().wait(LOOK_S)
    finally:
        journal.close()
