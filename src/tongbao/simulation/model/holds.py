"""Holds in the model."""

from __future__ import annotations

from typing import Any, Final

from tongbao.simulation.model import controls, guards, ids, money
from tongbao.simulation.model.books import Hold, No, Turn, need, read_amount, write_amount
from tongbao.simulation.model.numbers import HoldWhy

MODULE: Final = 7
VAULT: Final = f"{MODULE:040x}"


def place(turn: Turn, msg: dict[str, Any]) -> None:
    """The sender's value goes into the vault until it is captured or expires."""
    assert turn.sender is not None
    units, _ = read_amount(msg["amount"])
    need(units > 0, HoldWhy.AMOUNT_IS_ZERO)
    need(msg["expires_at"] > turn.time, HoldWhy.EXPIRY_HAS_PASSED)
    need(turn.books.is_open(msg["payee"]), HoldWhy.PAYEE_NOT_FOUND)
    money.pay(turn, msg, turn.sender, VAULT, by=MODULE)
    turn.books.holds[ids.new(turn)] = Hold(
        turn.sender, msg["payee"], msg["asset"], units, msg["expires_at"]
    )


def capture(turn: Turn, msg: dict[str, Any]) -> None:
    """The payee takes what was set aside."""
    held = turn.books.holds.get(msg["hold"])
    if held is None:
        raise No(HoldWhy.HOLD_NOT_FOUND)
    need(held.expires > turn.time, HoldWhy.HOLD_HAS_EXPIRED)
    need(held.payee == turn.sender, HoldWhy.SENDER_IS_NOT_PAYEE)
    units, _ = read_amount(msg["amount"]) if "amount" in msg else (held.units, 0)
    need(units <= held.units, HoldWhy.AMOUNT_IS_ABOVE_HOLD)
    guards.leaves(turn, held.asset, held.payer)
    amount = msg.get("amount", write_amount(held.units, turn.books.assets[held.asset].scale))
    money.pay(turn, {"asset": held.asset, "amount": amount}, VAULT, held.payee, by=MODULE)
    turn.books.holds[msg["hold"]] = held._replace(units=held.units - units)
    if units == held.units:
        del turn.books.holds[msg["hold"]]


def release(turn: Turn, msg: dict[str, Any]) -> None:
    """The payee does not want it."""
    held = turn.books.holds.get(msg["hold"])
    if held is None:
        raise No(HoldWhy.HOLD_NOT_FOUND)
    need(held.payee == turn.sender, HoldWhy.SENDER_IS_NOT_PAYEE)
    expire(turn, msg["hold"])


def extend(turn: Turn, msg: dict[str, Any]) -> None:
    """The payer gives more time."""
    held = turn.books.holds.get(msg["hold"])
    if held is None:
        raise No(HoldWhy.HOLD_NOT_FOUND)
    need(held.expires > turn.time, HoldWhy.HOLD_HAS_EXPIRED)
    need(held.payer == turn.sender, HoldWhy.SENDER_IS_NOT_PAYER)
    need(msg["expires_at"] > held.expires, HoldWhy.EXTENSION_IS_EARLIER)
    guards.leaves(turn, held.asset, held.payer)
    turn.books.holds[msg["hold"]] = held._replace(expires=msg["expires_at"])


def recall(turn: Turn, msg: dict[str, Any]) -> None:
    """The issuer wants it back where it came from."""
    held = turn.books.holds.get(msg["hold"])
    if held is None:
        raise No(HoldWhy.HOLD_NOT_FOUND)
    of = {"asset": held.asset, "account": held.payer}
    scale = turn.books.assets[held.asset].scale
    controls.recall(turn, msg | of | {"amount": write_amount(held.units, scale)})
    expire(turn, msg["hold"])


def expire(turn: Turn, name: str) -> None:
    """An expired hold goes back to its payer."""
    held = turn.books.holds.pop(name)
    money.take(turn, held.asset, VAULT, held.units)
    money.put(turn, held.asset, held.payer, held.units)
    money.say(turn, held.asset, held.units, VAULT, held.payer)


def keep_payers(turn: Turn, closing: str) -> None:
    """Whoever has value set aside stays."""
    placed = any(held.payer == closing for held in turn.books.holds.values())
    need(not placed, HoldWhy.PAYER_CANNOT_CLOSE)


RULES: Final = {
    "hold.place": place,
    "hold.capture": capture,
    "hold.release": release,
    "hold.extend": extend,
    "hold.recall": recall,
}
