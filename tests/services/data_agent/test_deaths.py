"""The agent is killed: at each step of an order, and again and again while orders come."""

from __future__ import annotations

import random
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.sdk.kept_chain import PASSPHRASE
from tests.services.data_agent.buying import Bought
from tests.services.data_agent.dying import STEPS, consider_and_die
from tests.services.data_agent.looking import earned, secrets_left, until_over, until_tidy
from tests.services.data_agent.market import Market, market
from tongbao.modules import data
from tongbao.sdk.data.store_client import StoreClient
from tongbao.sdk.vault import Vault
from tongbao.services.data_agent.folder import VAULT, keys_of
from tongbao.services.data_agent.journal import Journal
from tongbao.services.data_agent.program import opened
from tongbao.services.data_agent.selling import SEALING

PAID = 1_900
KILLS = 8
ORDERS = 16


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """A market whose agent has a copy, and does not run."""
    with market(tmp_path_factory.mktemp("still")) as found:
        found.start()
        found.march = found.committed("2026-03", [1, 2, 3])
        found.bring(found.march)
        found.end()
        yield found


def blobs_of(shop: Market) -> int:
    """How many blobs the store keeps for the agent."""
    with Vault.open(shop.agent_folder / VAULT, PASSPHRASE) as vault:
        space = keys_of(vault).space
    with StoreClient(shop.store, space) as client:
        return sum(1 for _ in client.blobs())


@pytest.mark.parametrize("step", STEPS)
def test_an_agent_killed_at_each_step_goes_on(still: Market, step: str) -> None:
    """Given an agent that died at a step, when its program starts, then it ends well."""
    before = earned(still)
    still.start()
    request = still.request(still.march)
    bought = Bought(still, request, orders=False)
    still.end()
    bought.place()
    died = consider_and_die(still.agent_folder, bought.order, STEPS[step])
    if not died:  # it dies later
        still.start()
        chunks = bought.fetch()
        still.end()
        bought.confirm()
        died = consider_and_die(still.agent_folder, bought.order, STEPS[step])
    else:
        still.start()
        chunks = bought.fetch()
        bought.confirm()
    if not died:
        still.start()
        still.reach(bought.order, "revealed")
        still.end()
        still.send("bob", data.Accept(order=bought.order))
        died = consider_and_die(still.agent_folder, bought.order, STEPS[step])
    assert died
    if still.agent is not None and still.agent.process.poll() is not None:
        still.start()
    assert bought.rows(chunks) == [1, 2, 3]
    if still.shown(bought.order).phase == "revealed":
        still.send("bob", data.Accept(order=bought.order))
    until_over(still, bought.order, "settled")
    until_tidy(still)
    still.end()
    assert earned(still) - before == PAID
    assert secrets_left(still) == []
    assert blobs_of(still) == 1, "the copy alone"


def test_a_store_that_is_away_delays_no_reveal(tmp_path: Path) -> None:
    """Given a fetched package, when the store dies and the agent starts anew, then b still comes.

    All that is owed then is on the ledger and in the agent's own folder.
    """
    with market(tmp_path) as shop:
        shop.start()
        march = shop.committed("2026-03", [1, 2])
        shop.bring(march)
        bought = Bought(shop, shop.request(march))
        chunks = bought.fetch()
        shop.end()
        assert shop.storage is not None
        shop.storage.kill()
        shop.start()
        bought.confirm()
        assert bought.rows(chunks) == [1, 2]


def found_dead(shop: Market) -> Iterator[str]:
    """At which steps a kill has found orders, by what lies on the disk."""
    if any((shop.agent_folder / "work").iterdir()):
        yield "a package was on its way"
    journal = Journal(shop.agent_folder, writes=False)
    try:
        known = {row["id"]: row["step"] for row in journal.rows("SELECT id, step FROM orders")}
        yield from (f"orders {step}" for step in known.values() if step != "revealed")
        if journal.left():
            yield "a blob was to be deleted, or not needed yet"
    finally:
        journal.close()
    if any(name.removeprefix("order-") not in known for name in secrets_left(shop)):
        yield "a and b were on the disk, and nothing else"


def kill_and_start(shop: Market, chance: random.Random) -> Counter[str]:
    """Kill the agent at some moment, look at what is left, and start it again."""
    assert shop.agent is not None
    with pytest.raises(subprocess.TimeoutExpired):
        shop.agent.process.wait(timeout=chance.uniform(0.02, 0.6))
    shop.end()
    found = Counter(set(found_dead(shop)))
    shop.start()
    return found


@pytest.mark.parametrize(
    ("step", "is_served"), [("before Seal is sent", False), ("when Seal is sent", True)]
)
def test_a_package_is_delivered_from_when_the_ledger_has_the_seal(
    still: Market, step: str, is_served: bool
) -> None:
    """
    Given an agent that has sealed an order, and does not know yet what its Seal came to,
    when the buyer asks,
    then it is delivered if the ledger has the seal, and not before.
    """
    still.start()
    bought = Bought(still, still.request(still.march), orders=False)
    still.end()
    bought.place()
    assert consider_and_die(still.agent_folder, bought.order, STEPS[step])
    with opened(still.agent_folder, PASSPHRASE) as agent:
        row = agent.api.selling.row(bought.order)
        assert row is not None and row["step"] == SEALING
        assert agent.api.selling.serves(row) == is_served
    still.start()
    still.reach(bought.order, "sealed")
    still.end()
    still.send("bob", data.CancelOrder(order=bought.order))


def test_an_agent_that_is_killed_again_and_again_loses_no_b_and_no_money(still: Market) -> None:
    """Given orders that come, when the agent is killed at any moment, then all are revealed."""
    chance = random.Random(9)
    before = earned(still)
    still.start()
    orders = [Bought(still, still.request(still.march), orders=False) for _ in range(ORDERS)]
    found = Counter[str]()

    def buy(one: Bought) -> list[bytes]:
        chunks = one.fetch()
        one.confirm()
        return chunks

    with ThreadPoolExecutor(4) as pool:
        buying = []
        for number, one in enumerate(orders):
            one.place()
            buying.append(pool.submit(buy, one))
            if number % (ORDERS // KILLS) == 0:
                found += kill_and_start(still, chance)
        bought = [one.result() for one in buying]
    for one, chunks in zip(orders, bought, strict=True):
        assert one.rows(chunks) == [1, 2, 3]
        still.send("bob", data.Accept(order=one.order))
    for one in orders:
        until_over(still, one.order, "settled")
    until_tidy(still)
    still.end()
    print(f"{KILLS} kills found: {dict(found)}")
    rows = [still.shown(one.order) for one in orders]
    assert len({row.b for row in rows}) == len(rows)
    assert earned(still) - before == PAID * ORDERS
    assert secrets_left(still) == [] and blobs_of(still) == 1
