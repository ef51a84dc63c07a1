"""Bob with a folder of his own, and carol's agent: what most tests of buying begin from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

from tests.sdk.data.lying_agent import LyingAgent, agent
from tests.sdk.data.market import BOND, Market
from tests.sdk.kept_chain import CHEAP
from tongbao.kernel import Id
from tongbao.sdk.data.buyer import Buyer
from tongbao.sdk.data.orders_folder import OrdersFolder
from tongbao.sdk.vault import Vault

PASSPHRASE: Final = "bob buys what he asked for"
_MONTHS = count()


class Shop:
    """A market, an agent, and a buyer."""

    def __init__(self, market: Market, agent: LyingAgent, agents: dict[str, str], path: Path):
        """Bob buys with a folder at a path."""
        self.market = market
        self.agent = agent
        self.agents = agents
        self.path = path
        self.folder = new_folder(path)
        self.buyer = self.buying(self.folder)

    def buying(self, folder: OrdersFolder) -> Buyer:
        """Bob, with a folder."""
        return Buyer(self.market.chain, self.market.wallets["bob"], folder, self.agents)

    def again(self) -> Buyer:
        """Bob, after his program was started again."""
        self.folder.close()
        self.folder = OrdersFolder.open(self.path, PASSPHRASE)
        self.buyer = self.buying(self.folder)
        return self.buyer

    def ordered(self, rows: int = 19, **changes: Any) -> str:
        """An order of bob's for a new month of alice's."""
        asked = self.buyer.request(self.market.request(self.batch(rows), **changes))
        return self.buyer.order(asked, deletion_bond=BOND)

    def batch(self, rows: int = 19) -> Id:
        """A new month of alice's."""
        number = next(_MONTHS)
        return self.market.attest(f"{2000 + number // 12}-{number % 12 + 1:02}", rows)

    def sealed(self) -> str:
        """One that carol has sealed as it should be."""
        order = self.ordered()
        self.agent.seal(order)
        return order

    def confirmed(self) -> str:
        """One that bob has fetched and confirmed."""
        order = self.sealed()
        self.confirm(order)
        return order

    def confirm(self, order: str) -> None:
        """Bob fetches and confirms."""
        self.buyer.fetch(order)
        self.buyer.confirm(order)

    def revealed(self, order: str | None = None) -> str:
        """One of which `b` is published."""
        name = order or self.sealed()
        self.confirm(name)
        self.agent.reveal(name)
        return name


def new_folder(path: Path) -> OrdersFolder:
    """A buyer's folder whose passphrase costs little."""
    path.mkdir(mode=0o700, exist_ok=True)
    path.chmod(0o700)
    Vault.create(path / "vault", PASSPHRASE, CHEAP).close()
    for name in ("packages", "evidence"):
        (path / name).mkdir(mode=0o700)
    return OrdersFolder.open(path, PASSPHRASE)


@contextmanager
def begun(market: Market, path: Path) -> Iterator[Shop]:
    """A shop while its agent serves."""
    with agent(market) as (lying, agents):
        shop = Shop(market, lying, agents, path / "bob")
        try:
            yield shop
        finally:
            shop.folder.close()
