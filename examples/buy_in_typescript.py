"""A buyer in TypeScript, written from the documentation alone, buys of a real agent and store."""

import json
import subprocess
import tempfile
from pathlib import Path

from tests.clients.data_buying import command
from tests.services.data_agent.market import ADDRESSES, market

MONTHS = {"2026-02": [2, 0, 3], "2026-03": [1, 4]}


def main() -> None:
    """A node, a store and an agent as processes; alice's months at the agent; bob buys them."""
    with tempfile.TemporaryDirectory() as name, market(Path(name)) as shop:
        agent = shop.start().address
        for month, counts in MONTHS.items():
            shop.bring(shop.committed(month, counts)).raise_for_status()
        buying = command(Path(name), shop.node, agent, ADDRESSES)
        printed = subprocess.run(buying, stdout=subprocess.PIPE, text=True, check=True).stdout
    *rows, verdict = printed.splitlines()
    sold = sorted(count for counts in MONTHS.values() for count in counts)
    assert sorted(json.loads(row)["count"] for row in rows) == sold
    assert verdict == f"data_buyer: {len(sold)} rows, OK"
    print(f"the buyer in TypeScript has {len(rows)} breakfasts of two months: {verdict}")


if __name__ == "__main__":
    main()
