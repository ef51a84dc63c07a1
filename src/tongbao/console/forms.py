"""The forms of what a page is asked for. Everything else is answered before the chain is asked."""

from __future__ import annotations

import re
from typing import Final

from tongbao.console.asking import Asked, not_understood
from tongbao.kernel import Address, AssetId
from tongbao.modules.member import Lei

HEIGHT: Final = re.compile(r"(0|[1-9][0-9]{0,14})\Z")
TRANSACTION: Final = re.compile(r"[0-9a-f]{64}\Z")
ADDRESS: Final = re.compile(r"[0-9a-f]{40}\Z")
LEI: Final = re.compile(r"[A-Z0-9]{18}[0-9]{2}\Z")
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


def lei(text: str) -> Lei:
    """A member's LEI; whether its check digits are right is not asked. Raises PageError."""
    if LEI.match(text) is None:
        raise not_understood("member.not_an_lei")
    return Lei(text)


def order(text: str) -> str:
    """The id of an order for data. Raises PageError."""
    if ADDRESS.match(text) is None:
        raise not_understood("data.not_an_id")
    return text


def thing(text: str) -> str:
    """The id of what a message made, such as a proposal's. Raises PageError."""
    if ADDRESS.match(text) is None:
        raise not_understood("proposal.not_an_id")
    return text
