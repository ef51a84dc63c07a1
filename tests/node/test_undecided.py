"""A network without a quorum: who submits is answered soon, and told when it happened."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import httpx2
import pytest

from tests.engines.cometbft.whole_node import need_program
from tests.sdk.kept_chain import CNY, OWNER, fund, pay
from tongbao.cli.exits import Exit
from tongbao.engines.cometbft.engine import HALTED_SECONDS
from tongbao.kernel import Amount
from tongbao.localnet.laying import begin
from tongbao.localnet.network import SETTINGS, Network
from tongbao.localnet.plan import Plan
from tongbao.modules import asset
from tongbao.sdk.errors import Unreachable, Unsettled
from tongbao.sdk.http import HttpChain
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.opening import OPERATOR

DECIDE_S: Final = 1.0
BOUND_S: Final = 20.0
"""Far above `decide_ms` and below the client's own time-out, also on a busy machine."""
SECONDS: Final = 240
FIRST, SECOND = "node1", "node2"
JOSE: Final = {"content-type": "application/jose"}


def laid(folder: Path) -> Plan:
    """The folders of a network of two validators."""
    need_program()
    return begin(folder, 2, "two")


def told(client: httpx2.Client, path: str, wanted: str) -> None:
    """Wait until the node tells a transaction's state as wanted."""
    until = time.monotonic() + SECONDS
    while (found := client.get(path).json())["state"] != wanted:
        assert time.monotonic() < until, found


def ready(client: httpx2.Client, wanted: int) -> list[str]:
    """Wait until the node is ready, or is not, by its status; the reasons that it gives."""
    until = time.monotonic() + SECONDS
    while (found := client.get("/readyz")).status_code != wanted:
        assert time.monotonic() < until, found.text
    return list(found.json()["reasons"])


def commanded(network: Network, *words: str) -> subprocess.CompletedProcess[str]:
    """A command on the first node's folder, which finds the node that runs there."""
    return subprocess.run(
        [sys.executable, "-m", "tongbao.cli.main", *words, "--folder", network.folder / FIRST],
        env={"PATH": os.environ["PATH"], "TONGBAO_PASSPHRASE": network.secret},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_without_a_quorum_a_payment_is_pending_and_happens_once_later(tmp_path: Path) -> None:
    """
    Given two validators of which one is paused, and nodes that wait a second for a block,
    when payments are posted, one and many, sent by an SDK's wallet and by a command,
    then each POST is answered as pending soon, with an id; the wallet and the command say that it
    may still happen, the latter with 75; and once the other goes on, each is applied, once.
    """
    plan = laid(tmp_path / "net")
    settings = (*SETTINGS, "--decide-ms", str(int(1_000 * DECIDE_S)))
    with Network(tmp_path / "net", plan, settings) as network:
        network.start_all(lambda _: None)
        address = plan.member(FIRST).address
        keys = Keystore(network.folder / FIRST / "keys").unlock(OPERATOR, network.secret)
        with (
            HttpChain(address, patience_s=3) as chain,
            httpx2.Client(base_url=address, timeout=SECONDS) as client,
        ):
            wallet = chain.wallet(OWNER, keys)
            shop = fund(wallet)
            network.process(SECOND).pause()
            wires = [wallet.build(pay(shop, "1.00")) for _ in range(3)]

            began = time.monotonic()
            one = client.post("/v1/transactions", content=wires[0], headers=JOSE)
            body = {"transactions": [wire.decode() for wire in wires]}
            many = client.post("/v1/transactions", json=body).json()["results"]
            took_s = time.monotonic() - began
            assert (one.status_code, one.json()["state"]) == (202, "pending")
            assert [answer["state"] for answer in many] == ["pending"] * 3
            assert many[0]["id"] == one.json()["id"]
            assert 2 * DECIDE_S <= took_s < BOUND_S

            with pytest.raises(Unreachable, match="may still happen") as lost:
                wallet.send(pay(shop, "8.00"))
            with pytest.raises(Unsettled):
                wallet.send(pay(shop, "8.00"))
            assert lost.value.transaction == wallet.unsettled[0]
            again = chain.submit_many(wires)
            assert [type(found) for found in again] == [Unreachable] * 3

            words = ("asset", "define", "--code", "EUR", "--scale", "2", "--json")
            ended = commanded(network, *words)
            assert ended.returncode == Exit.BUSY, ended.stderr
            assert "may still happen" in json.loads(ended.stdout)["error"]

            network.process(SECOND).resume()
            for answer in many:
                told(client, f"/v1/transactions/{answer['id']}", "applied")
            assert wallet.settle(lost.value.transaction).id == lost.value.id
            assert chain.query(asset.balance, shop, CNY) == asset.Holding(amount=Amount("11.00"))


def test_a_node_that_waits_for_a_quorum_is_not_ready_until_blocks_come(tmp_path: Path) -> None:
    """
    Given two validators that are ready, also while the chain is idle,
    when one is paused, a payment waits on the other, and the first goes on later,
    then the other is ready at first, is not once no block has come for a while, and says why; it
    is ready again by itself with the blocks.
    """
    plan = laid(tmp_path / "net")
    settings = (*SETTINGS, "--decide-ms", str(int(1_000 * DECIDE_S)))
    with Network(tmp_path / "net", plan, settings) as network:
        network.start_all(lambda _: None)
        address = plan.member(FIRST).address
        keys = Keystore(network.folder / FIRST / "keys").unlock(OPERATOR, network.secret)
        with (
            HttpChain(address, patience_s=3) as chain,
            httpx2.Client(base_url=address, timeout=SECONDS) as client,
        ):
            wallet = chain.wallet(OWNER, keys)
            shop = fund(wallet)
            assert ready(client, 200) == []
            network.process(SECOND).pause()
            paused_at = time.monotonic()
            wire = wallet.build(pay(shop, "1.00"))
            posted = client.post("/v1/transactions", content=wire, headers=JOSE)
            assert posted.json()["state"] == "pending"
            assert client.get("/readyz").status_code == 200

            [why] = ready(client, 503)
            assert time.monotonic() - paused_at > HALTED_SECONDS
            found = re.fullmatch(r"no block for (\d+) s while 1 transaction waits: .*", why)
            assert found is not None and int(found[1]) >= HALTED_SECONDS, why

            network.process(SECOND).resume()
            assert ready(client, 200) == []
            told(client, f"/v1/transactions/{posted.json()['id']}", "applied")
