"""A node as an operator meets it: killed, told to stop, started where it can't run."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
from msgspec import Struct
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.node import small_disk_node
from tests.node.process import PAYERS, Ground, Node, lay, owned, run_to_end, running
from tests.sdk.kept_chain import reopen
from tests.small_mount import play
from tongbao.kernel.envelope import decode_envelope
from tongbao.kernel.transaction import id_of
from tongbao.localnet.ports import free_ports
from tongbao.sdk.client import Applied
from tongbao.sdk.http import HttpChain

LOAD_BLOCKS: Final = 50
"""Blocks that are made before something happens to a node."""


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """A folder with a chain, closed."""
    return lay(tmp_path / "chain")


class Sent(Struct):
    """A transaction that was sent, and the answer if one came."""

    wire: bytes
    answer: dict[str, Any] | None = None

    @property
    def id(self) -> str:
        """Its id."""
        return id_of(decode_envelope(self.wire).payload).hex()


def pay_until_it_ends(ground: Ground, address: str, payer: int) -> list[Sent]:
    """Pay one cent after the other until the node does not answer any more."""
    found: list[Sent] = []
    headers = {"content-type": "application/jose"}
    with httpx2.Client(base_url=address, timeout=30) as client:
        for nonce in range(1, 10_000):
            found.append(Sent(ground.payment(payer, nonce)))
            try:
                answer = client.post("/v1/transactions", content=found[-1].wire, headers=headers)
            except httpx2.TransportError:
                return found
            if answer.status_code != 200:
                assert answer.status_code == 503, answer.text
                return found
            found[-1].answer = answer.json()
    raise AssertionError("the node has not ended")


def under_load(ground: Ground, node: Node, end: Any) -> list[Sent]:
    """All that payers sent at once until `end` ended the node."""
    with ThreadPoolExecutor(PAYERS) as pool:
        loads = [
            pool.submit(pay_until_it_ends, ground, node.address, payer) for payer in range(PAYERS)
        ]
        begun = node.client.get("/v1").json()["height"]
        loaded = node.client.get("/v1", params={"min_height": begun + LOAD_BLOCKS})
        assert loaded.status_code == 200
        end()
        return [sent for load in loads for sent in load.result()]


def test_after_kill_9_status_is_true_and_nothing_is_doubled(ground: Ground) -> None:
    """
    Given clients that pay and wait for their answers,
    when the node is killed with signal 9 and started again on the same folder,
    then what was answered stands where the answer said, all other payments are applied once or
    not at all, and sending all the same bytes again makes each happen once.
    """
    with running(ground.folder) as node:
        sent = under_load(ground, node, node.kill)
    answered = [one for one in sent if one.answer is not None]
    assert len(answered) > PAYERS and len(sent) >= len(answered)

    with running(ground.folder) as node, HttpChain(node.address) as chain:
        states = {one.id: node.client.get(f"/v1/transactions/{one.id}").json() for one in sent}
        for one in answered:
            assert one.answer is not None
            assert states[one.id]["height"] == one.answer["height"]
            assert states[one.id]["index"] == one.answer["index"]
        applied = [one for one in states.values() if one["state"] == "applied"]
        assert {one["state"] for one in states.values()} <= {"applied", "unknown"}
        assert owned(node, ground.shop) == f"{len(applied) / 100:.2f}"

        again = chain.submit_many([one.wire for one in sent])
        assert {type(answer) for answer in again} == {Applied}
        assert owned(node, ground.shop) == f"{len(sent) / 100:.2f}"
        assert node.stop() == 0


def test_a_client_that_waits_through_kill_9_pays_once(ground: Ground) -> None:
    """
    Given a client whose payment is under way,
    when the node is killed before it answers, and started again on the same port,
    then the client sends the same bytes again by itself, and the payment has happened once.
    """
    port = str(free_ports(1)[0])
    wires = [ground.payment(0, nonce) for nonce in range(1, 301)]
    with (
        running(ground.folder, "--port", port) as node,
        HttpChain(node.address) as chain,
        ThreadPoolExecutor(1) as pool,
    ):
        paying = pool.submit(lambda: [chain.submit(wire) for wire in wires])
        while chain.status(Sent(wires[20]).id).state != "applied":
            assert not paying.done()
        node.kill()
        with running(ground.folder, "--port", port) as again:
            paid = paying.result()
            assert [one.id for one in paid] == [Sent(wire).id for wire in wires]
            assert owned(again, ground.shop) == "3.00"
            assert again.stop() == 0


def test_told_to_stop_under_load_it_ends_well(ground: Ground) -> None:
    """
    Given clients that pay, an event stream and a WebSocket,
    when the node gets SIGTERM,
    then it ends with 0, the streams end by themselves, the WebSocket is told that it goes away,
    and every payment that was answered is in the folder.
    """
    ended: list[object] = []
    with running(ground.folder) as node:

        def follow() -> None:
            with httpx2.stream("GET", f"{node.address}/v1/events", timeout=30) as answer:
                ready.release()
                ended.append(sum(line.startswith("id:") for line in answer.iter_lines()) > 0)

        def listen() -> None:
            with connect(node.address.replace("http", "ws") + "/v1/events/socket") as other:
                ready.release()
                try:
                    while True:
                        other.recv(timeout=30)
                except ConnectionClosed as error:
                    ended.append(None if error.rcvd is None else error.rcvd.code)

        ready = threading.Semaphore(0)
        followers = [threading.Thread(target=target) for target in (follow, listen)]
        for follower in followers:
            follower.start()
            ready.acquire()
        codes: list[int] = []
        sent = under_load(ground, node, lambda: codes.append(node.stop()))
        for follower in followers:
            follower.join(timeout=30)

    assert codes == [0]
    assert sorted(map(str, ended)) == ["1001", "True"]
    answered = [one for one in sent if one.answer is not None]
    assert len(answered) > PAYERS
    with reopen(ground.folder) as chain:
        for one in answered:
            assert one.answer is not None
            found = chain.status(one.id)
            assert (found.height, found.index) == (one.answer["height"], one.answer["index"])


def test_a_port_that_is_taken_is_told_with_advice(ground: Ground) -> None:
    """
    Given a port that somebody listens on,
    when a node is started on it,
    then it ends with 75, says which port, and what to do.
    """
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = run_to_end(ground.folder, "--port", port)

    assert ended.returncode == 75
    assert f"port {port}" in ended.stderr and "--port" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("flags", "environment", "file", "code", "said"),
    [
        (("--prot", "1"), {}, "", 2, "--prot"),
        ((), {"TONGBAO_NODE_PROT": "1"}, "", 78, "there is no setting 'prot'"),
        (("--config", "FILE"), {}, "prot = 1", 78, "there is no setting 'prot'"),
        (("--config", "FILE"), {}, "[port]\nnumber = 1", 78, "port"),
        (("--port", "1x"), {}, "", 78, "port"),
        (("--config", "MISSING"), {}, "", 78, "No such file"),
    ],
)
def test_what_is_no_setting_keeps_a_node_from_starting(
    ground: Ground,
    tmp_path: Path,
    flags: tuple[str, ...],
    environment: dict[str, str],
    file: str,
    code: int,
    said: str,
) -> None:
    """
    Given an unknown setting or a wrong value in flags, environment or file,
    when a node is started,
    then it ends at once, with a code of its own, and names it.
    """
    path = tmp_path / "node.toml"
    path.write_text(file, encoding="utf-8")
    places = {"FILE": str(path), "MISSING": str(tmp_path / "none.toml")}
    ended = run_to_end(ground.folder, *[places.get(flag, flag) for flag in flags], **environment)

    assert ended.returncode == code, ended.stderr
    assert said in ended.stderr and "Traceback" not in ended.stderr


@pytest.mark.needs("unshare", "mount")
@pytest.mark.parametrize("story", sorted(small_disk_node.STORIES))
def test_a_disk_that_is_full_or_read_only_is_told(story: str, tmp_path: Path) -> None:
    """
    Given a file system of a few MB that only one process sees,
    when it is full while a node serves from it, or is read-only when one starts,
    then reads go on, writes are answered 507 until there is space; and starting is refused by name.
    """
    play(small_disk_node, story, str(tmp_path))
