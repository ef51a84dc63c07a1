"""Examples of the OpenAPI document: what parameters and bodies look like."""

from __future__ import annotations

from typing import Any, Final

from tongbao.kernel import Registry
from tongbao.kernel.schema import wire_name_of

ADDRESS: Final = "3f" * 20
ASSET: Final = f"CNY.{ADDRESS}"
THING: Final = "7a" * 20
TRANSACTION: Final = "9c" * 32
CHAIN: Final = "harbour-5d41402a"
EXPIRES: Final = 1_790_000_060_000
SIGNATURE: Final = "eyJhbGciOiJFZDI1NTE5In0"
WIRE: Final = f"{SIGNATURE}.eyJjaGFpbiI6ImhhcmJvdXIifQ.c2lnbmF0dXJl"

BY_NAME: Final[dict[str, Any]] = {
    "after": None,
    "before": 2,
    "expires": EXPIRES,
    "height": 1,
    "hold": THING,
    "id": TRANSACTION,
    "key": [ADDRESS, ASSET],
    "limit": 20,
    "min_height": 1,
    "number": 1,
    "reference": "order-7",
    "table": "asset.holdings",
    "text": "CNY",
    "thing": THING,
    "type": "asset.moved",
    "wait": "applied",
}
CURSORS: Final = frozenset({("before", "string")})
"""Parameters that go on where an answer says, by name and type."""
BY_PATTERN: Final = {
    r"^[0-9a-f]{40}\Z": ADDRESS,
    r"^[A-Z][A-Z0-9]{0,11}[.][0-9a-f]{40}\Z": ASSET,
}


def of_parameter(name: str, schema: dict[str, Any]) -> Any:
    """An example of a parameter; None where a first request has none, as of a cursor."""
    if name in BY_NAME and (name, schema.get("type")) not in CURSORS:
        return BY_NAME[name]
    return BY_PATTERN.get(schema.get("pattern", ""))


def payload(registry: Registry) -> dict[str, Any] | None:
    """A payment; None on a chain without the asset module."""
    if "asset.transfer" not in map(wire_name_of, registry.messages):
        return None
    payment = {"@type": "asset.transfer", "amount": "12.50", "asset": ASSET, "payee": ADDRESS}
    return {
        "chain": CHAIN,
        "expires": EXPIRES,
        "messages": [payment],
        "nonce": 1,
        "sender": ADDRESS,
    }
