"""Agents of many casts behind one address, which seal and reveal what a test tells them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.scenarios.town import ADDRESSES, Town
from tests.sdk.data.lying_agent import LyingAgent
from tests.services.serving.served import serving
from tongbao.kernel import Address, Id
from tongbao.modules import data
from tongbao.sdk.signed_requests import account_has_key
from tongbao.services.serving.app import service_app

NAMES = {address: name for name, address in ADDRESSES.items()}


class Cheats(LyingAgent):
    """Whoever the offer of an order's owner names as agent: else the owner itself."""

    def __init__(self, town: Town) -> None:
        """Act in a town."""
        market: Any = town
        super().__init__(market)
        self.town = town

    def seller(self, order: str) -> tuple[str, Address, Id]:
        """The agent of the owner's newest offer."""
        owner = self.town.row(order).owner
        rows = self.town.chain.query(data.offers_of, owner).rows
        offer_id, offer = rows[-1]
        account = offer.agent or owner
        return NAMES[account], account, offer_id


@contextmanager
def cheats(town: Town) -> Iterator[tuple[Cheats, str]]:
    """Them while they serve, and where."""
    found = Cheats(town)
    app = service_app(
        found.routes(), has_key=lambda account, kid: account_has_key(town.chain, account, kid)
    )
    with serving(app) as url:
        yield found, url
