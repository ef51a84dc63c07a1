"""Commands on a folder that a node holds, and on a node's chain from any other folder."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

from tests.cli.desk import Desk

TRANSFER = ("asset", "transfer", "--asset", "CNY.operator", "--payee", "bob", "--as", "alice")


def test_commands_ask_the_node_that_holds_their_folder(desk: Desk) -> None:
    """
    Given a node that serves a folder's chain,
    when commands of all kinds are used on that folder,
    then each asks the node, says so, and comes to what it would have come to without one.
    """
    with desk.node() as (node, address):
        told = desk.run(*TRANSFER, "--amount", "12.50")
        assert (told.returncode, told.stderr) == (
            0,
            f"a node serves this folder: {address} is asked\n",
        )
        paid = told.stdout.split()[-1]
        assert desk.do("status", paid)["state"] == "applied"
        shown = desk.do("tx", "show", paid)
        assert (shown["height"], shown["events"][0]["amount"]) == (5, "12.50")
        balance = desk.do("asset", "balance", "--account", "bob", "--asset", "CNY")
        assert (balance["height"], balance["value"]["amount"]) == (5, "12.50")
        refused = desk.run(*TRANSFER, "--amount", "1000.00", "--dry-run")
        assert (refused.returncode, refused.stdout.splitlines()[-1]) == (
            1,
            "dry run: would be refused: asset.BALANCE_IS_TOO_LOW (2013): the payer owns at "
            "least the amount; nothing was sent",
        )
        desk.do("account", "create", "carol")
        desk.do(*TRANSFER, "--amount", "1.00", "--out", "payment.jws")
        assert desk.do("tx", "submit", "payment.jws")["height"] == 7
        desk.do("proof", "row", "asset.holdings", "bob", "CNY", "--out", "bob.proof")
        desk.do("proof", "transaction", paid, "--out", "paid.proof")
        code, lines = node.end()
    assert (code, lines[-1]) == (0, f"stopped: {shown_chain(desk)} at 7")
    trust = ("--trust", "tongbao-chain/trust.json")
    assert desk.do("verify", "bob.proof", *trust)["value"]["amount"] == "13.50"
    assert desk.do("verify", "paid.proof", *trust)["id"] == paid


def shown_chain(desk: Desk) -> str:
    """The id of the folder's chain."""
    return str(desk.do("status")["chain"])


def test_a_node_is_asked_from_a_folder_without_a_chain(desk: Desk, tmp_path: Path) -> None:
    """
    Given keys and names alone in another folder,
    when its commands are told the node's address by option or variable,
    then they sign with those keys and send there; a folder of nothing can ask, too.
    """
    chain, other = tmp_path / "tongbao-chain", tmp_path / "elsewhere"
    other.mkdir()
    shutil.copytree(chain / "keys", other / "keys")
    shutil.copy(chain / "accounts.json", other)
    with desk.node() as (_, address):
        elsewhere = Desk(tmp_path, TONGBAO_FOLDER=str(other), TONGBAO_NODE=address)
        assert elsewhere.do(*TRANSFER, "--amount", "2.00")["height"] == 5
        assert elsewhere.do("account", "create", "dora")["height"] == 6
        nowhere = Desk(tmp_path, TONGBAO_FOLDER=str(tmp_path / "nothing"))
        assert nowhere.do("status", "--node", address)["height"] == 6
    told = nowhere.run("status", "--node", "127.0.0.1:8632")
    assert (told.returncode, told.stderr.splitlines()[-1]) == (
        2,
        "error: Invalid value for '--node' (env var: 'TONGBAO_NODE'): '127.0.0.1:8632' is no "
        "address: it begins with http:// or https://",
    )


def test_what_a_killed_node_leaves_behind_misleads_nobody(desk: Desk, tmp_path: Path) -> None:
    """
    Given a node that was killed, so that the folder still says where it was,
    when a command is used on the folder, and then a node starts and stops,
    then the command opens the chain itself, and the folder says nothing any more.
    """
    said = tmp_path / "tongbao-chain" / "node.json"
    with desk.node() as (node, _):
        assert said.exists()
        node.end(signal.SIGKILL)
    assert said.exists()
    told = desk.run(*TRANSFER, "--amount", "3.00")
    assert (told.returncode, told.stderr) == (0, "")
    with desk.node() as (node, _):
        assert node.end(signal.SIGTERM)[0] == 0
    assert not said.exists()
