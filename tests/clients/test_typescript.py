"""The TypeScript client against a node: it pays once, follows, and believes only proofs."""

from __future__ import annotations

import json
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.clients.conftest import result, running, told
from tests.fixed_chain import BEGIN, HOUR, FixedChain
from tests.node.conftest import serving, serving_chain
from tests.node.process import running as serving_node
from tests.sdk.pruned_chain import lay
from tests.vectors_folder import vectors
from tongbao import __version__
from tongbao.engines.solo import Options
from tongbao.kernel import Amount
from tongbao.modules import asset
from tools.client import CLIENT

pytestmark = [pytest.mark.needs("node", "npm"), pytest.mark.usefixtures("built")]


def test_its_own_tests_pass_with_the_golden_files() -> None:
    """
    Given the compiled client, and the vectors of others,
    when its own tests run, which read the same golden files and vectors as those in Python,
    then all of them pass.
    """
    vectors("ed25519")
    ended = subprocess.run(["npm", "test"], cwd=CLIENT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
    assert "# fail 0\n" in ended.stdout and "# skipped 0\n" in ended.stdout


def test_the_package_holds_what_was_compiled_its_licence_and_this_version(built: Path) -> None:
    """
    Given the compiled client,
    when it is packed,
    then the package has modules, types, README and licence, no sources, and Tongbao's version.
    """
    command = ["npm", "pack", "--dry-run", "--json"]
    ended = subprocess.run(command, cwd=CLIENT, capture_output=True, text=True, check=True)
    packed = json.loads(ended.stdout[ended.stdout.index("[") :])[0]
    files = {one["path"] for one in packed["files"]}
    modules = {f"dist/{file.name}" for file in built.iterdir()}

    assert files == {"LICENSE", "README.md", "package.json"} | modules
    assert {"dist/index.js", "dist/index.d.ts"} <= modules
    assert packed["version"] == __version__


def test_several_keys_sign_and_many_payments_go_at_once() -> None:
    """
    Given an account of two keys that both have to sign, opened by the client,
    when they sign together, then apart, then one alone, and alice pays ten times at once,
    then what both signed happens, what one signed is invalid, and no nonce is given out twice.
    """
    with serving() as served, running("together.mjs", told(served)) as program:
        assert result(program) == {
            "together": "applied",
            "apart": "applied",
            "alone": ["Invalid", 18],
            "at_once": 10,
            "balance": "11.00",
        }


def test_a_program_pays_is_refused_and_verifies() -> None:
    """
    Given a node and a program in Node.js with alice's key and a trust file,
    when it pays one and many, too much, and with a wrong key, and asks and proves,
    then each has its outcome and number, and what it believes is what the chain holds.
    """
    with serving() as served, running("pay.mjs", told(served)) as program:
        found = result(program)
        fixed = served.fixed
        row = {"@version": 1, "amount": "18.50"}

        assert found == {
            "chain": served.chain.id,
            "paid": [2, "applied"],
            "many": ["applied", "applied", ["Refused", 2013], "applied", ["Invalid", 2]],
            "again": True,
            "refused": ["Refused", 2013],
            "other_key": ["Invalid", 18],
            "dry_run": 2013,
            "status": "applied",
            "never": True,
            "balance": "18.50",
            "nothing": None,
            "row": row,
            "holdings": [row],
            "scale": 2,
            "keys": [True],
            "holding": ["asset.holdings", [fixed.shop, fixed.cny], row],
            "absence": [[fixed.bank, fixed.cny], None],
            "transaction": [True, "12.50"],
            "trust": True,
        }
        shop = served.chain.query(asset.balance, fixed.shop, fixed.cny)
        assert shop == asset.Holding(amount=Amount("18.50"))


def test_answers_that_are_lost_double_no_payment() -> None:
    """
    Given connections that lose every other answer, or the first one to a batch,
    when ten payments and then twenty, one of them too large, are sent through them,
    then each is told as it happened, once; where nobody listens, the client gives up clearly.
    """
    with serving() as served, running("lose.mjs", told(served)) as program:
        assert result(program) == {
            "ids": 10,
            "one": "10.00",
            "many": ["applied"] * 19 + [2013],
            "all": "29.00",
            "gone": True,
            "pauses": [0, 100, 200, 400, 800, 1600, 3200, 5000],
        }


def test_a_payment_that_expired_while_its_answer_was_lost_is_told_as_applied() -> None:
    """
    Given a payment that is applied and whose answer is lost,
    when the client sends it again two hours later, so that it has expired,
    then it is not told as invalid, which would tempt one to pay again, but as applied.
    """
    fixed = FixedChain()
    past: list[int] = []
    with fixed.running(lambda: BEGIN + 60_000 + (2 * HOUR if past else 0)) as chain:
        chain.listen(past.append)
        with serving_chain(fixed, chain) as served, running("late.mjs", told(served)) as program:
            assert result(program) == {"attempts": 2, "paid": [2, "applied"]}
        assert set(past) == {2}


def test_what_is_not_decided_yet_is_asked_for_until_patience_ends() -> None:
    """
    Given a node whose blocks come every two seconds, and which waits 50 ms for one,
    when payments are sent by a client that asks twice, and again by one that asks on,
    then the first gives each back, having asked for one of them alone, and the second is told as
    they were applied, once.
    """
    with serving(Options(linger_ms=2_000), decide_ms=50) as served:
        with running("undecided.mjs", told(served)) as program:
            assert result(program) == {
                "gave_up": [["Unreachable", True]] * 3,
                "asked_of_many": 3,
                "one": True,
                "later": ["applied"] * 3,
                "sent": "applied",
                "balance": "4.00",
            }


def test_a_program_follows_through_a_restart_of_the_node() -> None:
    """
    Given a program that follows what alice does,
    when the node ends and another serves the same chain at the same port,
    then the program goes on after the last event, and misses and doubles nothing.
    """
    fixed = FixedChain()
    back = asset.Transfer(asset=fixed.cny, amount=Amount("0.50"), payee=fixed.alice)
    with fixed.running(lambda: BEGIN + 60_000) as chain, ExitStack() as first:
        served = first.enter_context(serving_chain(fixed, chain))
        for _ in range(2):
            served.send(fixed.pay("1.00"))
        port = int(served.address.rpartition(":")[2])
        with running("follow.mjs", told(served)) as program:
            assert program.stdout is not None
            assert program.stdout.readline() == "following\n"
            first.close()
            chain.submit(fixed.pay("1.00"))
            with serving_chain(fixed, chain, port=port) as again:
                again.send(fixed.signed("shop", back))
                found = result(program)

    assert found == {"cursors": ["1.0", "2.0", "3.0", "4.0", "5.0"], "stopped": True}


def test_what_was_decided_in_a_pruned_block_is_never_told_as_invalid(
    tmp_path: Path, built: Path
) -> None:
    """
    Given a node whose first bodies were pruned, and a payment and a refusal of before,
    when the same texts are submitted again, and a stream begins before the first body,
    then they are told as decided and refused, and the stream as gone.
    """
    pruned = lay(tmp_path / "chain")
    with serving_node(pruned.folder) as node:
        told_of = {
            "address": node.address,
            "wire": pruned.wire.decode(),
            "refused": pruned.refused_wire.decode(),
        }
        with running("pruned.mjs", told_of) as program:
            found = result(program)

    assert found == {
        "decided": [pruned.old.id, pruned.old.height],
        "refused": 2013,
        "many": ["AlreadyDecided", "Refused"],
        "gone": 410,
    }


def test_a_program_reads_its_own_in_a_session() -> None:
    """
    Given a node for members, and a program in Node.js with alice's key,
    when it reads and follows what is hers, asks for the shop's, and connects as others,
    then it has what is hers in a session, and is refused the rest.
    """
    with serving(read_policy="members") as served, running("known.mjs", told(served)) as program:
        assert result(program) == {
            "balance": "100.00",
            "followed": "1.0",
            "others": ["NodeError", 403],
            "nobody": ["NodeError", 401],
            "wrong": ["NodeError", 401],
        }
