"""How much one address may ask for: a token bucket each, for as many as are active."""

from __future__ import annotations

import time
from collections import OrderedDict
from ipaddress import ip_network
from typing import Final

ADDRESSES_LIMIT: Final = 10_000
"""Addresses that are remembered; the one that was quiet for longest is forgotten."""


def _block_of(address: str) -> str:
    """What one caller can change without effort: in IPv6 that is all but the first 64 bits."""
    if ":" not in address or "." in address:
        return address
    return str(ip_network((address.partition("%")[0], 64), strict=False).network_address)


class Buckets:
    """A bucket of tokens for each address: one second's worth, filled evenly."""

    def __init__(self, per_second: int) -> None:
        """Every bucket holds and gains so many tokens a second."""
        self._per_second = per_second
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        """How many addresses are remembered."""
        return len(self._left)

    def take(self, address: str, tokens: int, per_second: int | None = None) -> bool:
        """Take tokens if they are there; what is larger than a bucket drains a full one.

        `per_second` is a rate of this one's own.
        """
        address = _block_of(address)
        now = time.monotonic()
        full = float(per_second or self._per_second)
        left, at = self._left.pop(address, (full, now))
        left = min(full, left + (now - at) * full)
        wanted = min(float(tokens), full)
        enough = left >= wanted
        self._left[address] = (left - wanted if enough else left, now)
        if len(self._left) > ADDRESSES_LIMIT:
            self._left.popitem(last=False)
        return enough
