"""What moved by a receipt, as an account sees it, with the references that were signed.

The rule for references is that of the index: a movement bears that of the message which made it,
else the transaction's. Here it reads what a proof has shown, there what the log holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from tongbao.kernel.schema import wire_name_of
from tongbao.modules import asset

MOVED: Final = wire_name_of(asset.Moved)
PAYING: Final = frozenset(map(wire_name_of, (asset.Issue, asset.Redeem, asset.Transfer)))
"""Messages that make exactly one movement each, so that movements and messages pair in order."""


class Proven(Struct, frozen=True):
    """A movement that a proven receipt names, from the side of one account."""

    place: int
    way: str
    amount: str
    counterparty: str | None
    reference: str | None


def proven_in(receipt: Any, payload: Any, account: str, asset_id: str) -> Iterator[Proven]:
    """Movements of an account in an asset by a receipt; due work has no payload."""
    moves = [event for event in receipt.get("events", ()) if event["@type"] == MOVED]
    references = _references(moves, payload)
    for place, (move, reference) in enumerate(zip(moves, references, strict=True)):
        payer, payee = move.get("payer"), move.get("payee")
        if move["asset"] != asset_id or account not in (payer, payee):
            continue
        way, other = ("in", payer) if payee == account else ("out", payee)
        yield Proven(place, way, move["amount"], other, reference)


def _references(moves: list[Any], payload: Any) -> list[str | None]:
    """The reference of each movement."""
    if payload is None:
        return [None] * len(moves)
    own, found = payload.get("reference"), []
    paying = iter([one for one in payload["messages"] if one["@type"] in PAYING])
    waiting = next(paying, None)
    for move in moves:
        reference = own
        if waiting is not None and _is_of(move, waiting, payload["sender"]):
            reference = waiting.get("reference") or own
            waiting = next(paying, None)
        found.append(reference)
    return found


def _is_of(move: Any, message: Any, sender: str) -> bool:
    """Whether a movement is what a paying message makes."""
    same = all(move.get(name) == message.get(name) for name in ("asset", "amount", "payee"))
    return same and move.get("payer") in (sender, None)
