"""Who floods a node of several processes keeps nobody else from paying."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

from tests.fixed_chain import FixedChain
from tests.node.process import Ground, Node, lay, owned, running
from tongbao.kernel import Time
from tongbao.node.processes.admission import STRANGERS, Admission, Newest

PAYMENTS: Final = 20
FLOOD: Final = 2_000
QUEUE: Final = 400


def flood(ground: Ground, node: Node, ended: threading.Event) -> list[str]:
    """Send what one payer has signed again and again until told to end; the states it got."""
    wires = [ground.payment(0, nonce).decode() for nonce in range(1, FLOOD + 1)]
    states: list[str] = []
    begin = 0
    while not ended.is_set():
        part = wires[begin % FLOOD : begin % FLOOD + QUEUE * 2]
        answer = node.client.post(
            "/v1/transactions", params={"wait": "none"}, json={"transactions": part}
        )
        states += [one["state"] for one in answer.json()["results"]]
        begin += QUEUE
    return states


def test_one_who_pays_beside_a_flood_is_never_told_to_come_back(tmp_path: Path) -> None:
    """
    Given one sender who sends more than the queue takes, without ever waiting,
    when another one pays one cent after the other,
    then each payment is taken and applied at the first try, while the flood is refused in part.
    """
    ground = lay(tmp_path / "chain")
    settings = ("--processes", "2", "--queue-transactions", str(QUEUE), "--log-level", "warning")
    with running(ground.folder, *settings) as node:
        ended = threading.Event()
        states: list[str] = []
        flooding = threading.Thread(target=lambda: states.extend(flood(ground, node, ended)))
        flooding.start()
        try:
            answers = [
                node.send(ground.payment(1, nonce)).status_code for nonce in range(1, PAYMENTS + 1)
            ]
        finally:
            ended.set()
            flooding.join()
        assert answers == [200] * PAYMENTS
        assert "not taken" in states
        assert float(owned(node, ground.shop)) * 100 >= PAYMENTS
        assert node.stop() == 0


def test_senders_whom_the_chain_never_answered_share_one_lane() -> None:
    """
    Given a front that knows nobody,
    when a sender's transaction stands in a block,
    then that sender has a lane of its own from then on, and others still share one.
    """
    fixed = FixedChain()
    admission = Admission(fixed.producer.machine.registry, fixed.producer.machine.chain)
    wire = fixed.pay("1.00")
    first = admission.read(wire, Time(0))
    assert admission.lane(first) == STRANGERS
    admission.met(first)
    assert admission.lane(first) == first.transaction.payload.sender
    assert not first.is_verified
    admission.verified(first)
    assert admission.read(wire, Time(0)).is_verified


def test_what_is_remembered_is_bounded_and_the_newest_stay() -> None:
    """
    Given a memory of ten,
    when a hundred come,
    then the last five are there, and no more than ten.
    """
    newest: Newest[int] = Newest(10)
    for number in range(100):
        newest.add(number)
    kept = [number for number in range(100) if number in newest]
    assert kept[-5:] == list(range(95, 100))
    assert len(kept) <= 10
