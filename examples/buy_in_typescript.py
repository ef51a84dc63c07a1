"""A buyer in TypeScript, written from the documentation alone, buys of a real agent and store."""

import json
import subprocess
import tempfile
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

from tests.modules.data_steps import COUNT, DAY_MS, EGGS, RESEARCH, VIEW
from tests.services.data_agent.market import ADDRESSES, CNY, WHY, Market, market
from tongbao.testing.keys import named_key

BUYER = Path(__file__).parent / "typescript" / "data_buyer"
MONTHS = {"2026-02": [2, 0, 3], "2026-03": [1, 4]}


def wanted(shop: Market) -> dict[str, Any]:
    """What bob wants to buy of alice, and where he asks."""
    assert shop.agent is not None
    return {
        "agent": shop.agent.address,
        "asset": CNY,
        "buyer": ADDRESSES["bob"],
        "deletion_bond": "5.00",
        "fee": "1.00",
        "fields": [COUNT],
        "keep_ms": 10 * DAY_MS,
        "mode": VIEW,
        "node": shop.node,
        "owner": ADDRESSES["alice"],
        "price": "20.00",
        "purpose": RESEARCH,
        "schema": EGGS,
        "seal_ms": 30 * 60_000,
        "why": WHY,
    }


def jwk_of(name: str) -> dict[str, str]:
    """A test person's key as a private JWK."""
    key = named_key(name)
    secret = urlsafe_b64encode(key.seed).decode().rstrip("=")
    return {"kty": "OKP", "crv": "Ed25519", "x": key.key_id, "d": secret}


def main() -> None:
    """A node, a store and an agent as processes; alice's months at the agent; bob buys them."""
    with tempfile.TemporaryDirectory() as name, market(Path(name)) as shop:
        shop.start()
        for month, counts in MONTHS.items():
            shop.bring(shop.committed(month, counts)).raise_for_status()
        told, key, place = (Path(name) / one for one in ("wanted.json", "bob.jwk", "purchase"))
        told.write_text(json.dumps(wanted(shop)))
        key.write_text(json.dumps(jwk_of("bob")))
        command = ("node", "--no-warnings", BUYER / "dist" / "buy.js", told, key, place)
        printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    *rows, verdict = printed.splitlines()
    sold = sorted(count for counts in MONTHS.values() for count in counts)
    assert sorted(json.loads(row)[COUNT] for row in rows) == sold
    assert verdict == f"data_buyer: {len(sold)} rows, OK"
    print(f"the buyer in TypeScript has {len(rows)} breakfasts of two months: {verdict}")


if __name__ == "__main__":
    main()
