"""Places in a chain's history, and which happenings a stream tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

END_OF_BLOCK: Final = 10**9 - 1
"""An index after whatever a block holds."""
DIGITS: Final = (16, 9)
"""How long height and index of a cursor may be."""
FILTERS: Final = ("account", "asset", "thing", "type")


class Place(Struct, frozen=True, order=True):
    """A place in the chain's history: of a block, the transaction at an index."""

    height: int
    index: int

    @property
    def next_height(self) -> int:
        """The block that what comes after this place begins in."""
        return self.height + 1 if self.index >= END_OF_BLOCK else self.height

    def __str__(self) -> str:
        """As a cursor: `height.index`."""
        return f"{self.height}.{self.index}"


def place_of(cursor: str) -> Place:
    """The place that a cursor names. Raises ValueError."""
    parts = cursor.split(".")
    plain = len(parts) == len(DIGITS) and all(
        part.isascii() and part.isdigit() and len(part) <= most
        for part, most in zip(parts, DIGITS, strict=True)
    )
    if not plain:
        raise ValueError(f"{cursor[:40]!a} is no cursor: it is height.index")
    return Place(*map(int, parts))


def not_before(first: int) -> str:
    """What to say of a cursor after which bodies are missing, where they begin with `first`."""
    return (
        f"what happened after that cursor was pruned here: events can be had from block {first} "
        f"on, after the cursor {Place(first - 1, END_OF_BLOCK)}; ask for earlier ones at a node "
        "that has their blocks"
    )


def check_filters(filters: Mapping[str, str]) -> None:
    """Refuse what is no filter. Raises TypeError."""
    for name in filters:
        if name not in FILTERS:
            raise TypeError(f"there is no filter {name[:40]!a}; there are: {FILTERS}")


def needles_of(filters: Mapping[str, str]) -> tuple[bytes, ...]:
    """The JSON texts that must occur. Ids are no part of any longer text in quotes."""
    names = ("account", "asset", "thing")
    found = [f'"{filters[name]}"'.encode() for name in names if name in filters]
    if "type" in filters:
        found.append(f'"@type":"{filters["type"]}"'.encode())
    return tuple(found)
