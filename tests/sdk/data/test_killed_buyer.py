"""kill -9 of the buyer at every step: no order is lost, and none is paid twice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.sdk.data import killed_buyer
from tests.sdk.data.market import ADDRESSES
from tests.sdk.data.shop import Shop
from tongbao.modules import data
from tongbao.sdk.data.facts import all_of

EFFECTS: Final = 40
"""More than a purchase has."""
REACHED: Final = frozenset(
    ("put-request", "put-sending", "submit", "put-order", "remove-sending", "half-a-download")
)


def test_a_buyer_killed_at_any_effect_loses_nothing_and_pays_once(
    shop: Shop, tmp_path: Path
) -> None:
    """
    Given a buyer that is killed after each record, submission and half a download,
    when another one goes on with its folder,
    then each batch was ordered once, bought, and deleted, and alice has earned each price once.
    """
    shop.agent.least_chunks = 4
    batches = [shop.batch() for _ in range(EFFECTS)]
    before = shop.market.earned("alice"), shop.market.held("bob")
    url = shop.agents[ADDRESSES["carol"]]
    ended = subprocess.run(
        [sys.executable, killed_buyer.__file__, tmp_path, shop.market.address, url, *batches],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    died = [line.split(" ") for line in ended.stdout.splitlines()]
    ordered = [
        (row.phase, row.batches[0])
        for _, row in all_of(shop.market.chain, data.bought, buyer=ADDRESSES["bob"])
        if row.batches[0] in batches
    ]

    assert died[-1][0] == "through", (died, ended.stderr)
    assert {what for what, _ in died} >= REACHED
    assert sorted(ordered) == sorted(("settled", batch) for batch in batches[: len(died)])
    assert shop.market.earned("alice") - before[0] == 1_900 * len(died)
    assert before[1] - shop.market.held("bob") == 2_000 * len(died)
    assert not any((tmp_path / f"{at}" / "rows.jsonl").exists() for at in range(len(died)))
