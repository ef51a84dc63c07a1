"""Derived ids, from their documented origin: nothing that can be chosen freely."""

from __future__ import annotations

from hashlib import sha256

from tongbao.simulation.model.books import Turn


def of_message(sender: str, lane: int, nonce: int, message: int) -> tuple[bytes, ...]:
    """What the ids that a message creates are derived from."""
    return (
        b"tongbao/id/1",
        bytes.fromhex(sender),
        lane.to_bytes(2, "big"),
        nonce.to_bytes(8, "big"),
        message.to_bytes(2, "big"),
    )


def of_due(module: int, index: int, row: str, due: int) -> tuple[bytes, ...]:
    """What the ids that a due item creates are derived from."""
    numbers = module.to_bytes(2, "big") + index.to_bytes(2, "big")
    return b"tongbao/due-id/1", numbers, bytes.fromhex(row), due.to_bytes(8, "big")


def of_genesis(module: int) -> tuple[bytes, ...]:
    """What the ids that genesis creates are derived from."""
    return b"tongbao/genesis-id/1", module.to_bytes(2, "big")


def new(turn: Turn) -> str:
    """The next id of a turn."""
    made = derived(turn.origin, len(turn.ids))
    turn.ids.append(made)
    return made


def derived(origin: tuple[bytes, ...], count: int) -> str:
    """The id with a count from 0."""
    return sha256(b"".join(origin) + count.to_bytes(4, "big")).hexdigest()[:40]
