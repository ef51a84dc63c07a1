"""Grants end to end for `make bench-data`: from a request to rows that are accepted and paid.

Node, store and agent are programs in processes of their own and are asked over HTTP; the buyers are
threads of one process more. Every package is sealed, stored, fetched, checked, opened and judged.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, process_time
from typing import Any, Final

from bench.households import BUYERS, ROWS, Household, Market, market
from bench.node import PASSPHRASE
from bench.processes import cpu_seconds
from tongbao.kernel import Address, Amount, Small
from tongbao.modules import account
from tongbao.sdk.data.buyer import Buyer
from tongbao.sdk.data.orders_folder import OrdersFolder
from tongbao.sdk.http import HttpChain
from tongbao.testing.keys import named_key

BOND: Final = Amount("0.50")
LOOK_S: Final = 0.02
WITHIN_S: Final = 300
RUNS: Final = 3


class Purchases:
    """One buyer with all its orders of a run."""

    def __init__(self, stand: Market, at: int, place: Path) -> None:
        """A buyer with a folder of its own."""
        self._stand = stand
        self._name = f"buyer-{at}"
        self.address: Address = stand.place[self._name]
        self._folder = OrdersFolder.create(place / self._name, PASSPHRASE)
        self.times: dict[str, float] = {}

    def close(self) -> None:
        """Close the folder."""
        self._folder.close()

    def buy(self, homes: Sequence[Household]) -> list[float]:
        """Buy from each of some households; how long each order took, in seconds."""
        with HttpChain(self._stand.node.address) as chain:
            wallet = chain.wallet(self.address, named_key(self._name))
            agents: dict[str, str] = {self._stand.place["agent"]: self._stand.agent}
            buyer = Buyer(chain, wallet, self._folder, agents)
            begun: dict[str, float] = {}
            for home in homes:
                at = monotonic()
                asked = buyer.request(self._stand.request(self.address, home))
                begun[buyer.order(asked, deletion_bond=BOND)] = at
            return self._finish(buyer, begun)

    def _finish(self, buyer: Buyer, begun: dict[str, float]) -> list[float]:
        """Fetch, confirm, open and accept whatever has come so far, until nothing is left."""
        confirmed: set[str] = set()
        taken: list[float] = []
        never, until = threading.Event(), monotonic() + WITHIN_S
        while len(taken) < len(begun):
            assert monotonic() < until, f"{len(taken)} of {len(begun)} grants were settled"
            for one in buyer.pull():
                assert not one.why, one
                buyer.confirm(one.order)
                confirmed.add(one.order)
            for order in sorted(confirmed):
                if buyer.phase(order) == "revealed":
                    assert len(list(buyer.rows(order))) == ROWS
                    buyer.accept(order)
                    confirmed.discard(order)
                    taken.append(monotonic() - begun[order])
            never.wait(LOOK_S)
        return taken


def used(stand: Market) -> dict[str, float]:
    """Seconds of CPU so far, by program; `buyers` are this process."""
    found = {"node": sum(stand.node.cpu_s().values()), "buyers": process_time()}
    for name, process in stand.programs.items():
        found[name] = sum(cpu_seconds(process.pid).values())
    return found


def run(stand: Market, buyers: Sequence[Purchases]) -> dict[str, Any]:
    """Every household sells once; what that took."""
    homes = stand.households
    before, begun = used(stand), monotonic()
    at = stand.chain.head().height
    with ThreadPoolExecutor(len(buyers)) as pool:
        parts = [homes[place :: len(buyers)] for place in range(len(buyers))]
        futures = [pool.submit(buyer.buy, part) for buyer, part in zip(buyers, parts, strict=True)]
        taken = [each for future in futures for each in future.result()]
    lasted, after = monotonic() - begun, used(stand)
    transactions = transactions_since(stand, at)
    return {
        "grants_per_s": len(homes) / lasted,
        "transactions_per_grant": transactions / len(homes),
        "transactions_per_s": transactions / lasted,
        "grant_s": statistics.median(taken),
        "cpu_ms_per_grant": {
            name: 1_000 * (after[name] - before[name]) / len(homes) for name in after
        },
    }


def transactions_since(stand: Market, height: int) -> int:
    """Transactions in all blocks after one, up to one that is sent now."""
    bank = stand.chain.wallet(stand.place["bank"], named_key("bank"))
    mark = bank.send(account.SetLanes(lanes=Small(2))).id
    found = 0
    for happening in stand.chain.happenings(f"{height}.999999999"):
        if happening.id == mark:
            return found
        found += happening.id != ""
    raise AssertionError("the chain was closed")


def measured(households: int, runs: int = RUNS) -> dict[str, Any]:
    """Medians of some runs on one market."""
    with tempfile.TemporaryDirectory() as name, market(Path(name), households) as stand:
        buyers = [Purchases(stand, at, Path(name)) for at in range(BUYERS)]
        try:
            found = [run(stand, buyers) for _ in range(runs)]
        finally:
            for buyer in buyers:
                buyer.close()
    middle: dict[str, Any] = {
        key: statistics.median(one[key] for one in found)
        for key in found[0]
        if key != "cpu_ms_per_grant"
    }
    roles = found[0]["cpu_ms_per_grant"]
    middle["cpu_ms_per_grant"] = {
        role: statistics.median(one["cpu_ms_per_grant"][role] for one in found) for role in roles
    }
    settings = {"households": households, "buyers": BUYERS, "rows_each": ROWS, "runs": runs}
    return settings | middle


def main() -> int:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--households", type=int, default=100)
    parser.add_argument("--runs", type=int, default=RUNS)
    arguments = parser.parse_args()
    print(json.dumps(measured(arguments.households, arguments.runs)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
