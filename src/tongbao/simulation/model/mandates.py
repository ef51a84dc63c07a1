"""Mandates in the model."""

from __future__ import annotations

from typing import Any, Final

from tongbao.simulation.model import ids, money
from tongbao.simulation.model.books import Mandate, Turn, is_vault, need, read_amount
from tongbao.simulation.model.numbers import MandateWhy

MODULE: Final = 8
EXPIRY_INDEX: Final = 2


def grant(turn: Turn, msg: dict[str, Any]) -> None:
    """A mandate by the sender."""
    assert turn.sender is not None
    books = turn.books
    need(msg["asset"] in books.assets, MandateWhy.ASSET_NOT_FOUND)
    scale = books.assets[msg["asset"]].scale
    total, decimals = read_amount(msg["total"])
    each, each_decimals = read_amount(msg.get("each_period", msg["total"]))
    need(decimals == each_decimals == scale, MandateWhy.DECIMALS_DIFFER)
    need(min(total, each) > 0, MandateWhy.AMOUNT_IS_ZERO)
    period = msg.get("period_ms", 0)
    both = ("each_period" in msg) == bool(period)
    need(both and each <= total, MandateWhy.PERIOD_IS_WRONG)
    need(msg["expires_at"] > turn.time, MandateWhy.EXPIRY_HAS_PASSED)
    another = msg["holder"] != turn.sender and books.is_open(msg["holder"])
    need(another, MandateWhy.HOLDER_NOT_FOUND)
    granted = sum(one.owner == turn.sender for one in books.mandates.values())
    need(granted < turn.values["mandate.mandates_limit"], MandateWhy.TOO_MANY_MANDATES)
    books.mandates[ids.new(turn)] = Mandate(
        turn.sender,
        msg["holder"],
        msg["asset"],
        total,
        msg["expires_at"],
        turn.time,
        each if period else None,
        period,
    )


def known(turn: Turn, name: str) -> Mandate:
    """A mandate that has not ended."""
    need(name in turn.books.mandates, MandateWhy.MANDATE_NOT_FOUND)
    return turn.books.mandates[name]


def revoke(turn: Turn, msg: dict[str, Any]) -> None:
    """Its owner ends it."""
    need(known(turn, msg["mandate"]).owner == turn.sender, MandateWhy.SENDER_IS_NOT_OWNER)
    del turn.books.mandates[msg["mandate"]]


def collect(turn: Turn, msg: dict[str, Any]) -> None:
    """Its holder pays."""
    one = known(turn, msg["mandate"])
    need(one.holder == turn.sender, MandateWhy.SENDER_IS_NOT_HOLDER)
    need(one.expires > turn.time, MandateWhy.MANDATE_HAS_EXPIRED)
    units, decimals = read_amount(msg["amount"])
    need(decimals == turn.books.assets[one.asset].scale, MandateWhy.DECIMALS_DIFFER)
    need(one.spent + units <= one.total, MandateWhy.TOTAL_IS_EXCEEDED)
    while one.each is not None and turn.time >= one.began + one.period:
        periods = (turn.time - one.began) // one.period
        one = one._replace(began=one.began + periods * one.period, lately=0)
    within = one.each is None or one.lately + units <= one.each
    need(within, MandateWhy.PERIOD_IS_EXCEEDED)
    need(not is_vault(msg["payee"]), MandateWhy.PAYEE_IS_VAULT)
    money.need_reference(turn, msg, MandateWhy.REFERENCE_IS_MISSING)
    money.pay(turn, {"asset": one.asset} | msg, one.owner, msg["payee"], by=MODULE)
    one = one._replace(spent=one.spent + units, lately=one.lately + units)
    turn.books.mandates[msg["mandate"]] = one
    if one.spent == one.total:
        del turn.books.mandates[msg["mandate"]]


def expire(turn: Turn, name: str) -> None:
    """It is over."""
    del turn.books.mandates[name]


def end_all(turn: Turn, owner: str) -> None:
    """None of an owner's is left."""
    for name, one in list(turn.books.mandates.items()):
        if one.owner == owner:
            del turn.books.mandates[name]


RULES: Final = {"mandate.grant": grant, "mandate.revoke": revoke, "mandate.collect": collect}
