"""A program that buys, and is killed at each of its effects in turn; it tells what it did.

`python killed_buyer.py FOLDER NODE AGENT BATCH...` forks, for each batch, a buyer that kills
itself after one more effect (a record, a removal, a submission, half a download), and then one that
goes on. It prints `KILLED ORDERS` for each: what the first died at, and the ids
of the orders in its folder. The last one, `through`, was not killed.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import httpx2

from tests.sdk.data.market import ADDRESSES, BOND, Market
from tests.sdk.data.shop import PASSPHRASE, new_folder
from tongbao.kernel import Id
from tongbao.sdk.client import Applied
from tongbao.sdk.data.agent_client import AgentClient
from tongbao.sdk.data.buyer import Buyer
from tongbao.sdk.data.orders_folder import OrdersFolder
from tongbao.sdk.http import HttpChain
from tongbao.sdk.vault import Vault
from tongbao.testing.keys import named_key

NEVER: Final = 10_000


class Fate:
    """Counts effects, and kills this process after one of them: that is before the next one."""

    def __init__(self, at: int, report: int) -> None:
        """Die after an effect, the first at 0."""
        self.at = at
        self.seen = 0
        self.report = report

    def around(self, what: str, effect: Callable[[], object]) -> None:
        """Let an effect happen, and end as `kill -9` does if it is the one."""
        effect()
        if self.seen == self.at:
            os.write(self.report, what.encode())
            os.kill(os.getpid(), signal.SIGKILL)
        self.seen += 1


class MortalVault(Vault):
    """A vault whose effects may be the last."""

    fate: Fate

    def put(self, name: str, record: bytes) -> None:
        """Keep a record."""
        what = f"put-{name.partition('-')[0]}"
        self.fate.around(what, lambda: super(MortalVault, self).put(name, record))

    def remove(self, name: str) -> None:
        """Remove a record."""
        what = f"remove-{name.partition('-')[0]}"
        self.fate.around(what, lambda: super(MortalVault, self).remove(name))


class MortalChain(HttpChain):
    """A chain whose answers may come to nobody."""

    fate: Fate

    def submit(self, transaction: bytes) -> Applied:
        """Submit a transaction."""
        answers: list[Applied] = []
        self.fate.around("submit", lambda: answers.append(self.sent(transaction)))
        return answers[0]

    def sent(self, transaction: bytes) -> Applied:
        """Submit it for good."""
        return super().submit(transaction)


class MortalAgentClient(AgentClient):
    """A download that may break off after half a chunk."""

    fate: Fate

    def chunks(self, order: str, first: int, count: int) -> Iterator[bytes]:
        """The bytes of chunks."""
        text = b"".join(super().chunks(order, first, count))
        middle = len(text) // 2 + 1_000
        yield text[:middle]
        self.fate.around("half-a-download", lambda: None)
        yield text[middle:]


class MortalBuyer(Buyer):
    """A buyer of whom each effect may be the last."""

    fate: Fate

    def agent(self, address: str) -> AgentClient:
        """The agent."""
        found = MortalAgentClient(self.agents[address], self.signer, self.wallet.address)
        found.fate = self.fate
        return found


def story(folder: Path, node: str, agent: str, batch: str, fate: Fate) -> list[str]:
    """Buy a batch to the end, from wherever a predecessor died; the orders that there are."""
    vault = MortalVault.open(folder / "vault", PASSPHRASE)
    assert isinstance(vault, MortalVault)
    chain = MortalChain(node)
    vault.fate = chain.fate = fate
    wallet = chain.wallet(ADDRESSES["bob"], named_key("bob"))
    with OrdersFolder(folder, vault) as orders:
        buyer = MortalBuyer(chain, wallet, orders, {ADDRESSES["carol"]: agent})
        buyer.fate = fate
        buyer.sender.resume()
        if not orders.orders():
            asked = buyer.request(Market(node).request(Id(batch)))
            buyer.order(asked, deletion_bond=BOND)
        [order] = orders.orders()
        step = f"{agent}/step/{order}"
        httpx2.post(step).raise_for_status()
        if buyer.phase(order) == "sealed":
            buyer.fetch(order)
            buyer.confirm(order)
        httpx2.post(step).raise_for_status()
        if buyer.phase(order) == "revealed":
            buyer.write(order, folder / "rows.jsonl")
            buyer.accept(order)
        buyer.attest_deletion(order)
        chain.close()
        return orders.orders()


def forked(run: Callable[[int], None]) -> str:
    """Run in a process of its own; what it reported."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        run(writing)
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as told:
        return told.read()


def main(root: Path, node: str, agent: str, batches: list[str]) -> None:
    """Kill one buyer for each batch."""
    for at, batch in enumerate(batches):
        folder = root / f"{at}"
        new_folder(folder).close()

        def dies(report: int, at: int = at, folder: Path = folder, batch: str = batch) -> None:
            story(folder, node, agent, batch, Fate(at, report))
            os.write(report, b"through")

        def goes_on(report: int, folder: Path = folder, batch: str = batch) -> None:
            found = story(folder, node, agent, batch, Fate(NEVER, report))
            os.write(report, " ".join(found).encode())

        died = forked(dies)
        print(died or "failed", forked(goes_on) or "failed", flush=True)
        if died == "through":
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:])
