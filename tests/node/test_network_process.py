"""A real `tongbao run` of a network's node: killed, stopped, asked over HTTP."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.engines.cometbft.whole_node import (
    cometbft_of,
    kill_cometbft,
    lay,
    need_program,
    operator_of,
)
from tests.node import small_disk_network
from tests.node.process import START_S, Node, run_to_end, running
from tests.sdk.kept_chain import CNY, OWNER, fund
from tests.small_mount import play
from tongbao.cli.exits import Exit
from tongbao.kernel import Amount
from tongbao.modules import asset
from tongbao.sdk.audit import audit_folder
from tongbao.sdk.http import HttpChain

FREE = ("--p2p-listen", "tcp://127.0.0.1:0", "--port", "0")
SOLO = ("--engine", "solo")


def ready(node: Node, wanted: bool) -> list[str]:
    """Wait until the node is ready, or is not; the reasons that it gives."""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        answer = node.client.get("/readyz")
        if answer.is_success is wanted:
            return list(answer.json()["reasons"])
    raise AssertionError(f"not ready={wanted}: {node.text()}")


def test_a_node_serves_a_network_and_survives_every_kill(tmp_path: Path) -> None:
    """
    Given a served network of one node on which the operator has paid,
    when its CometBFT is killed, then the node itself, each with another payment behind it, and the
    node is stopped at last,
    then the SDK has its payments applied each time, /readyz says when CometBFT is away, no process
    is left, and an audit finds nothing.
    """
    lay(tmp_path)
    with running(tmp_path, *FREE) as node:
        ready(node, True)
        with HttpChain(node.address) as chain:
            operator = operator_of(chain, tmp_path)
            shop = fund(operator)
            operator.send(asset.Transfer(asset=CNY, amount=Amount("1.00"), payee=shop))
            kill_cometbft(tmp_path)
            reasons = ready(node, False)
            assert "CometBFT" in reasons[0]
            operator.send(asset.Transfer(asset=CNY, amount=Amount("2.00"), payee=shop))
        ready(node, True)
        node.kill()
    with running(tmp_path, *FREE) as node:
        with HttpChain(node.address) as chain:
            operator = operator_of(chain, tmp_path)
            operator.send(asset.Transfer(asset=CNY, amount=Amount("4.00"), payee=shop))
            assert chain.query(asset.balance, shop, CNY) == asset.Holding(amount=Amount("7.00"))
            assert chain.query(asset.balance, OWNER, CNY) == asset.Holding(amount=Amount("993.00"))
            height = chain.head().height
        page = node.client.get(f"/blocks/{height}", headers={"accept": "text/html"})
        assert page.is_success
        assert "\ntongbao_height " in node.client.get("/metrics").text
        assert node.stop() == Exit.DONE
    assert cometbft_of(tmp_path) is None
    assert audit_folder(tmp_path).findings == ()


def test_run_takes_no_chain_of_another_engine(tmp_path: Path) -> None:
    """
    Given a folder of a network,
    when it is to be run as solo,
    then the command says which engine the chain has, and starts nothing.
    """
    ended = run_to_end(lay(tmp_path), *SOLO)
    assert ended.returncode == Exit.CONFIGURATION
    assert "engine cometbft" in ended.stderr


@pytest.mark.parametrize("wrong", [("--persistent-peers", "nobody"), ("--cometbft", "/nowhere")])
def test_a_setting_that_cometbft_can_not_have_is_named(
    tmp_path: Path, wrong: tuple[str, str]
) -> None:
    """
    Given a folder of a network,
    when its node is told of a peer without an address, or of a program that is not there,
    then it says so, without a traceback, and ends.
    """
    ended = run_to_end(lay(tmp_path), *FREE, *wrong)
    assert ended.returncode not in (Exit.DONE, 1)
    assert "Traceback" not in ended.stderr
    assert wrong[1] in ended.stderr or "persistent_peers" in ended.stderr


@pytest.mark.parametrize("which", small_disk_network.STORIES)
def test_a_full_disk_stops_a_network_s_node_for_as_long_as_it_is_full(
    tmp_path: Path, which: str
) -> None:
    """
    Given a node on a disk of 96 MB, with CometBFT's files or without them,
    when the disk is filled while payments come, and there is space again,
    then reads go on meanwhile, /readyz says why it is not ready, and each payment is applied once.
    """
    need_program()
    small, elsewhere = tmp_path / "small", tmp_path / "elsewhere"
    small.mkdir()
    elsewhere.mkdir()
    play(small_disk_network, which, str(small), str(elsewhere))
