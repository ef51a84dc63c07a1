"""JSON values with one thing wrong in them, for whatever judges JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

ODD: tuple[Any, ...] = (None, True, 0, 1, -1, 65_536, 2**53, "", "x", "é", "0" * 64, [], ["a"], {})


def spoiled(value: Any) -> Iterator[Any]:
    """A JSON value with any one member or element replaced, left out, added or moved."""
    if isinstance(value, dict):
        yield {**value, "surprise": 1}
        yield dict(reversed(value.items()))
        for name, part in value.items():
            yield {other: kept for other, kept in value.items() if other != name}
            yield from ({**value, name: changed} for changed in spoiled(part))
    elif isinstance(value, list):
        yield [*value, *value[:1]]
        for at, part in enumerate(value):
            yield [*value[:at], *value[at + 1 :]]
            yield from ([*value[:at], changed, *value[at + 1 :]] for changed in spoiled(part))
    elif isinstance(value, str):
        yield value[: len(value) // 2] + "1" + value[len(value) // 2 + 1 :]
        yield value[1:]
    yield from ODD
