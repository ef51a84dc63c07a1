"""What the buyer in TypeScript is told, and how it is started: in tests and in its example."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any, Final

from tongbao.kernel import Address
from tongbao.testing.keys import named_key
from tools.client import build

BUYER: Final = Path(__file__).parents[2] / "examples" / "typescript" / "data_buyer"
DAY_MS: Final = 86_400_000


def built() -> Path:
    """The folder of its compiled modules."""
    return build(BUYER, "buy.js")


def command(
    place: Path, node: str, agent: str, addresses: dict[str, Address], **changes: Any
) -> tuple[str, ...]:
    """How bob buys alice's counts of eggs: the program, what he wants, his key, his folder."""
    wanted = {
        "agent": agent,
        "asset": f"CNY.{addresses['bank']}",
        "buyer": addresses["bob"],
        "deletion_bond": "5.00",
        "fee": "1.00",
        "fields": ["count"],
        "keep_ms": 10 * DAY_MS,
        "mode": "view",
        "node": node,
        "owner": addresses["alice"],
        "price": "20.00",
        "purpose": "dpv:AcademicResearch",
        "schema": "eggs.1",
        "seal_ms": 1_800_000,
        "why": "We study how many eggs people eat.",
    }
    told, key = place / "wanted.json", place / "bob.jwk"
    told.write_text(json.dumps(wanted | changes))
    key.write_text(json.dumps(jwk_of("bob")))
    program = built() / "buy.js"
    return ("node", "--no-warnings", *map(str, (program, told, key, place / "purchase")))


def jwk_of(name: str) -> dict[str, str]:
    """A test person's key as a private JWK."""
    key = named_key(name)
    secret = urlsafe_b64encode(key.seed).decode().rstrip("=")
    return {"kty": "OKP", "crv": "Ed25519", "x": key.key_id, "d": secret}
