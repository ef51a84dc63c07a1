"""How long a statement of 10,000 movements takes a node whose index is warm."""

from __future__ import annotations

import json
import statistics
from time import perf_counter

from bench.load import flood
from bench.node import Node
from bench.reads import STATEMENT, STATEMENT_ROUTE
from bench.workload import Workload

MOVEMENTS = 10_000
TOGETHER = 100
BATCH = 10
PAYER = 1
TIMES = 5
PAGE = 10_000


def measure(node: Node, workload: Workload, movements: int = MOVEMENTS) -> dict[str, float]:
    """Milliseconds for all pages of it, the median of some; nothing where there are no statements.

    Another 10,000 payments of one account go before it.
    """
    if STATEMENT_ROUTE not in node.get("/openapi.json"):
        return {}
    wires = [workload.from_one(PAYER, TOGETHER) for _ in range(movements // TOGETHER)]
    flood(node, wires, TOGETHER, BATCH)
    path = STATEMENT.format(account=workload.addresses[PAYER], asset=workload.usd)
    taken = []
    for run in range(TIMES + 1):
        begun = perf_counter()
        count = read_all(node, path)
        if run:  # the first one warms the index
            taken.append((perf_counter() - begun) * 1_000)
        assert count >= movements, count
    return {"statement_ms": statistics.median(taken), "statement_movements": count}


def read_all(node: Node, path: str) -> int:
    """Read every page of a statement; how many movements there were."""
    count, after = 0, ""
    while True:
        answer = json.loads(node.get(f"{path}&limit={PAGE}{after}"))
        count += len(answer["movements"])
        if answer["after"] is None:
            return count
        after = f"&after={answer['after']}"
