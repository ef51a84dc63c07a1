"""Who floods a node of several processes keeps nobody else from paying."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

import httpx2

from tests.node.process import Ground, Node, lay, owned, running

PAYMENTS: Final = 20
FLOOD: Final = 1_000
QUEUE: Final = 400
PATIENCE_S: Final = 60.0
SETTINGS: Final = (
    *("--processes", "2", "--queue-transactions", str(QUEUE), "--log-level", "warning"),
    *("--rate-per-s", "1000000"),
)
"""Both send from one address, whose own limit, which a fast machine comes to, is not tried."""


class Flood:
    """One payer's transactions, sent again and again without waiting, until it is told to end."""

    def __init__(self, ground: Ground, node: Node) -> None:
        """Sign them, begin to send, and wait until some are refused."""
        self._wires = [ground.payment(0, nonce).decode() for nonce in range(1, FLOOD + 1)]
        self._address = node.address
        self._refused = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._refused.wait(PATIENCE_S)

    def _run(self) -> None:
        with httpx2.Client(base_url=self._address, timeout=PATIENCE_S) as client:
            while not self._ended.is_set():
                answer = client.post(
                    "/v1/transactions",
                    params={"wait": "none"},
                    json={"transactions": self._wires},
                )
                if "not taken" in {one["state"] for one in answer.json()["results"]}:
                    self._refused.set()

    def end(self) -> None:
        """Send no more."""
        self._ended.set()
        self._thread.join()


def test_one_who_pays_beside_a_flood_is_never_told_to_come_back(tmp_path: Path) -> None:
    """
    Given one sender who sends more than the queue takes, without ever waiting,
    when another one pays one cent after the other,
    then each payment is taken and applied at the first try, while the flood is refused in part.
    """
    ground = lay(tmp_path / "chain")
    with running(ground.folder, *SETTINGS) as node:
        flood = Flood(ground, node)
        try:
            answers = [
                node.send(ground.payment(1, nonce)).status_code for nonce in range(1, PAYMENTS + 1)
            ]
        finally:
            flood.end()
        assert answers == [200] * PAYMENTS
        assert float(owned(node, ground.shop)) * 100 >= PAYMENTS
        assert node.stop() == 0
