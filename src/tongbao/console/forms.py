"""The forms of what a page is asked for. Everything else is answered before the chain is asked."""

from __future__ import annotations

import re
from typing import Final

from tongbao.console.asking import Asked, not_understood
from tongbao.kernel import Address, AssetId

HEIGHT: Final = re.compile(r"(0|[1-9][0-9]{0,14})\Z")
TRANSACTION: Final = re.compile(r"[0-9a-f]{64}\Z")
ADDRESS: Final = re.compile(r"[0-9a-f]{40}\Z")
ASSET: Final = re.compile(r"[A-Z][A-Z0-9]{0,11}[.][0-9a-f]{40}\Z")


def height(text: str) -> int:
    """A height in plain digits. Raises PageError."""
    if HEIGHT.match(text) is None:
        raise not_understood("block.not_a_height")
    return int(text)


def height_in_query(asked: Asked, name: str) -> int | None:
    """A number of the query, if it is given. Raises PageError."""
    return height(asked.query[name]) if name in asked.query else None


def transaction(text: str) -> str:
    """A transaction's id. Raises PageError."""
    if TRANSACTION.match(text) is None:
        raise not_understood("transaction.not_an_id")
    return text


def address(text: str) -> Address:
    """An account's address. Raises PageError."""
    if ADDRESS.match(text) is None:
        raise not_understood("account.not_an_address")
    return Address(text)


def asset(text: str) -> AssetId:
    """An asset's id. Raises PageError."""
    if ASSET.match(text) is None:
        raise not_understood("asset.not_an_asset")
    return AssetId(text)
