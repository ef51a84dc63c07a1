"""The buyer and the programs as they are run: node, store and agent, each a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import msgspec
import pytest

from tests.modules.data_steps import COUNT
from tests.node.hook_receiver import SECRET, Receiver
from tests.sdk.data.shop import new_folder
from tests.services.data_agent.market import ADDRESSES, Market, market
from tongbao.kernel import Amount, Id
from tongbao.node.webhooks.delivering import run_webhooks
from tongbao.node.webhooks.endpoints import read_webhooks
from tongbao.sdk.data.buyer import Buyer
from tongbao.sdk.http import HttpChain

BOND = Amount("5.00")


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """A market whose agent runs, with alice's copy of March."""
    with market(tmp_path_factory.mktemp("real")) as found:
        found.start()
        found.march = found.committed("2026-03", [0, 1, 2, 1])
        assert found.bring(found.march).status_code == 200
        yield found


def buyer_in(stand: Market, path: Path) -> Buyer:
    """Bob, with a new folder."""
    assert stand.agent is not None
    agents: dict[str, str] = {ADDRESSES["carol"]: stand.agent.address}
    return Buyer(stand.chain, stand.wallets["bob"], new_folder(path / "bob"), agents)


def bought(stand: Market, buyer: Buyer) -> str:
    """An order that the agent has revealed."""
    asked = buyer.request(stand.request(stand.march))
    order = buyer.order(asked, deletion_bond=BOND)
    stand.reach(Id(order), "sealed")
    assert [one.why for one in buyer.pull() if one.order == order] == [""]
    buyer.confirm(order)
    stand.reach(Id(order), "revealed")
    return order


def test_a_purchase_from_the_agent_s_program(stand: Market, tmp_path: Path) -> None:
    """
    Given the agent's program with alice's March,
    when bob buys it, pulls, opens, accepts and deletes,
    then he has had the rows, with a receipt of what was granted, and the licence has ended.
    """
    buyer = buyer_in(stand, tmp_path)
    order = bought(stand, buyer)
    values = [row.values for row in buyer.rows(order)]
    receipt = buyer.folder.deal(order).receipt
    buyer.accept(order)
    text = buyer.attest_deletion(order)
    buyer.folder.close()

    assert values == [{COUNT: count} for count in (0, 1, 2, 1)]
    assert order in receipt and order in text.decode()
    assert buyer.phase(order) == "settled"


def test_the_agent_killed_while_it_delivers_is_asked_again(stand: Market, tmp_path: Path) -> None:
    """
    Given a sealed order,
    when the agent is killed before bob pulls, and started again,
    then the first pull tells that it is away, and the second brings the package.
    """
    buyer = buyer_in(stand, tmp_path)
    asked = buyer.request(stand.request(stand.march))
    order = buyer.order(asked, deletion_bond=BOND)
    stand.reach(Id(order), "sealed")
    stand.end()
    away = list(buyer.pull())
    stand.start()
    here = {one.order: one.why for one in buyer.pull()}
    buyer.cancel(order)
    buyer.folder.close()

    assert [one.order for one in away] == [""]
    assert here[order] == ""


def test_an_endpoint_of_the_buyer_s_is_told_of_each_step(stand: Market, tmp_path: Path) -> None:
    """
    Given webhooks of type `data.reached`, as the page for buyers says,
    when an order goes its way,
    then the endpoint is told of open, sealed, confirmed and revealed, by the order's id.
    """
    receiver, stop = Receiver(), Event()
    (tmp_path / "secret").write_bytes(SECRET)
    config = tmp_path / "webhooks.toml"
    config.write_text(
        f"""
private_hosts = ["127.0.0.1"]

[[endpoint]]
name = "orders"
url = "http://127.0.0.1:{receiver.port}/tongbao"
secret_file = "{tmp_path}/secret"
type = "data.reached"
after = "{stand.chain.head().height}.999999999"
""",
        encoding="utf-8",
    )
    found = read_webhooks(config)

    def run() -> None:
        run_webhooks(tmp_path, found, lambda: HttpChain(stand.node), stop)

    hooks = Thread(target=run)
    hooks.start()
    try:
        buyer = buyer_in(stand, tmp_path)
        order = bought(stand, buyer)
        receiver.await_told(4)
    finally:
        stop.set()
        hooks.join()
        receiver.stop()
    told = [bytes(one.happening.receipt).decode() for one in receiver.told]
    seal = msgspec.json.encode(receiver.told[1].happening).decode()
    buyer.folder.close()

    phases = ("open", "sealed", "confirmed", "revealed")
    for phase, text in zip(phases, told, strict=True):
        assert f'"order":"{order}","phase":"{phase}"' in text
    assert ADDRESSES["bob"] not in seal  # so no filter by account would have let it through
