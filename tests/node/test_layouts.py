"""A node of several processes answers as one process does, whichever of them are killed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from tests.node.process import Ground, Node, lay, running
from tests.node.told_operations import paths_of, same_of
from tests.postgresql_server import running_server
from tests.sdk.kept_chain import CNY, PASSPHRASE
from tongbao.engines.solo import Options
from tongbao.sdk.beside import open_beside
from tongbao.sdk.opening import open_chain

SEVERAL: Final = ("--processes", "2")
AWAY_S: Final = 90
"""In which history has gone on after its server was away: it is tried ever more rarely."""
ONE: Final = ("--processes", "1")
WRONG: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("GET", "/v1/nothing", {}),
    ("GET", "/nothing", {"headers": {"accept": "text/html"}}),
    ("DELETE", "/v1", {}),
    ("PUT", "/v1/proofs", {"content": b"{}"}),
    ("POST", "/v1/blocks", {"content": b"{}"}),
    ("POST", "/v1/proofs", {"content": b"{}", "headers": {"content-type": "text/plain"}}),
    ("POST", "/v1/proofs", {"content": b"{}", "headers": {"content-type": "application/json"}}),
    ("POST", "/v1/dry-runs", {"content": b"{}", "headers": {"content-type": "application/json"}}),
    ("GET", "/v1/blocks/999", {}),
    ("GET", "/v1/transactions/xyz", {}),
    ("GET", "/v1?min_height=01", {}),
    ("HEAD", "/v1/genesis", {}),
    ("GET", "/v1/genesis", {"headers": {"if-none-match": "*"}}),
    ("GET", "/v1/accounts/x%2fy", {}),
)
"""What is wrong, or unusual, by method, path and what else `httpx2` is told."""


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """A chain on which some can pay, and have paid."""
    found = lay(tmp_path / "chain")
    with open_chain(
        found.folder, passphrase=PASSPHRASE, options=Options(verify_elsewhere=False)
    ) as chain:
        for payer in range(2):
            chain.submit(found.payment(payer, 1, f"r-{payer}"))
    return found


def known_of(node: Node, ground: Ground) -> dict[str, str]:
    """A value for the names of parameters."""
    last = node.client.get("/v1").json()["height"]
    page = f"/v1/accounts/{ground.shop}/transactions?min_height={last}"
    return {
        "id": node.client.get(page).json()["transactions"][0]["id"],
        "height": str(last),
        "address": ground.shop,
        "account": ground.shop,
        "issuer": CNY.partition(".")[2],
        "payee": ground.shop,
        "payer": ground.payers[0],
        "asset": CNY,
        "order": "77" * 20,
        "reference": "r-1",
        "number": "1001",
        "table": "asset.holdings",
        "key": f"{ground.shop}&key={CNY}",
        "hold": "00" * 32,
        "proposal": "00" * 20,
        "lei": "506700GE1G29325QX363",
        "name": "asset",
        "text": "r-1",
        "from": "2020-01-01",
        "to": "2040-01-01",
    }


def test_every_read_is_answered_as_by_one_process(ground: Ground) -> None:
    """Given one history, served by several processes and by one, when every operation that reads,
    every page and much that is wrong is asked of both, then status, type, tag and body are the
    same.
    """
    copied = ground.folder.with_name("copied")
    shutil.copytree(ground.folder, copied)
    with running(ground.folder, *SEVERAL) as several, running(copied, *ONE) as one:
        known = known_of(several, ground)
        assert known_of(one, ground) == known
        with open_beside(copied) as chain:
            paths = list(paths_of(chain.registry, known))
        assert len(paths) > 60
        for path in paths:
            assert same_of(several.client.get(path)) == same_of(one.client.get(path)), path
        for method, path, more in WRONG:
            asked = [node.client.request(method, path, **more) for node in (several, one)]
            assert same_of(asked[0]) == same_of(asked[1]), (method, path)


@pytest.fixture
def node(ground: Ground) -> Iterator[Node]:
    """The chain, served by several processes."""
    with running(ground.folder, *SEVERAL) as found:
        yield found


def processes_of(node: Node, role: str) -> list[int]:
    """The processes of a node that do a role's work."""
    found = []
    children = Path(f"/proc/{node.process.pid}/task/{node.process.pid}/children")
    for name in children.read_text(encoding="ascii").split():
        line = Path(f"/proc/{name}/cmdline").read_bytes().split(b"\0")
        if f"tongbao.node.processes.{role}".encode() in line:
            found.append(int(name))
    return found


def test_nobody_reads_behind_what_was_told(node: Node, ground: Ground) -> None:
    """Given a node of several processes, when a payment is told as applied, then whoever asks next,
    without naming a height, sees it in its status, its block and its balance.
    """
    paid = 2
    for nonce in range(2, 40):
        told = node.send(ground.payment(0, nonce)).json()
        paid += 1
        assert node.client.get(f"/v1/transactions/{told['id']}").json()["state"] == "applied"
        assert node.client.get(f"/v1/blocks/{told['height']}").status_code == 200
        asked = {"account": ground.shop, "asset": CNY}
        balance = node.client.get("/v1/asset/balance", params=asked).json()
        assert balance["value"]["amount"] == f"0.{paid:02d}"
        assert balance["height"] >= told["height"]


@pytest.mark.parametrize("role", ["reader", "indexer"])
def test_a_process_that_is_killed_keeps_no_answer_back(
    node: Node, ground: Ground, role: str
) -> None:
    """Given reads and payments under way, when the process that answers reads, or the one that
    feeds the index, is killed again and again, then every read is answered, and history goes on to
    the last payment.
    """
    statuses: list[int] = []
    done = threading.Event()

    def read() -> None:
        with httpx2.Client(base_url=node.address, timeout=60) as client:
            while not done.is_set():
                statuses.append(client.get(f"/v1/accounts/{ground.shop}").status_code)
                statuses.append(client.get(f"/v1/accounts/{ground.shop}/movements").status_code)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    nonce, killed = 1, set[int]()
    while len(killed) < 3:
        nonce += 1
        told = node.send(ground.payment(0, nonce)).json()
        fresh = [each for each in processes_of(node, role) if each not in killed]
        if fresh and len(statuses) > 20 * len(killed):
            os.kill(fresh[0], signal.SIGKILL)
            killed.add(fresh[0])
    done.set()
    for thread in threads:
        thread.join()
    assert set(statuses) == {200}
    history = f"/v1/accounts/{ground.shop}/movements?min_height={told['height']}"
    found = None
    for _ in range(10):  # a read waits a few seconds each time
        found = node.client.get(history)
        if found.status_code == 200:
            break
    assert found is not None
    assert found.json()["movements"][0]["id"] == told["id"]


def test_what_was_taken_in_is_pending_until_it_is_decided(node: Node, ground: Ground) -> None:
    """Given a node of several processes, when payments are taken in without waiting, then each is
    told as pending or applied from then on, and as applied in the end.
    """
    for nonce in range(2, 40):
        taken = node.send(ground.payment(0, nonce), wait="none").json()
        path = f"/v1/transactions/{taken['id']}"
        states = [node.client.get(path).json()["state"]]
        while states[-1] == "pending":
            states.append(node.client.get(path).json()["state"])
        assert states[-1] == "applied", states


def test_events_are_told_as_blocks_become_durable(node: Node, ground: Ground) -> None:
    """Given a stream from the first block on at a node of several processes, when payments are
    made, then it tells what was before and each of them, once, in order.
    """
    paid = []
    with node.client.stream("GET", "/v1/events", params={"after": "0.0"}) as stream:
        lines = (line for line in stream.iter_lines() if line.startswith("data:"))
        with httpx2.Client(base_url=node.address, timeout=60) as client:
            before = client.get("/v1").json()["height"]
            told = [json.loads(next(lines).removeprefix("data:")) for _ in range(before)]
            for nonce in range(2, 12):
                headers = {"content-type": "application/jose"}
                wire = ground.payment(0, nonce)
                answer = client.post("/v1/transactions", content=wire, headers=headers)
                paid.append(answer.json()["id"])
                told.append(json.loads(next(lines).removeprefix("data:")))
    assert [one["id"] for one in told[-len(paid) :]] == paid
    assert [one["height"] for one in told] == sorted(one["height"] for one in told)


@pytest.mark.parametrize("layout", [SEVERAL, ONE], ids=["several", "one"])
def test_history_is_kept_in_postgresql_and_goes_on_after_it_was_away(
    ground: Ground, layout: tuple[str, ...]
) -> None:
    """Given a node whose index is in PostgreSQL, when the server ends, payments are made, and it is
    there again, then payments were taken, history was told as not to be had meanwhile, and it goes
    on to the last payment.
    """
    history = f"/v1/accounts/{ground.shop}/movements"
    with (
        running_server() as server,
        running(ground.folder, *layout, "--index", server.database()) as node,
    ):
        first = node.send(ground.payment(0, 2)).json()
        found = node.client.get(history, params={"min_height": first["height"]}).json()
        assert found["movements"][0]["id"] == first["id"]
        server.stop()
        last = node.send(ground.payment(0, 3)).json()
        assert last["state"] == "applied"
        assert node.client.get(history).status_code == 503
        server.start()
        until = time.monotonic() + AWAY_S
        while (found := node.client.get(history, params={"min_height": last["height"]})).is_error:
            assert time.monotonic() < until, found.text
        assert found.json()["movements"][0]["id"] == last["id"]
        assert node.stop() == 0
