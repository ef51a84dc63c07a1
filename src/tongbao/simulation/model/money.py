"""Assets in the model."""

from __future__ import annotations

from typing import Any, Final

from tongbao.simulation.model import guards
from tongbao.simulation.model.books import (
    Asset,
    Settled,
    Turn,
    is_vault,
    need,
    read_amount,
    write_amount,
)
from tongbao.simulation.model.numbers import AssetWhy

MOST_UNITS: Final = 2**63 - 1
MOST_DECIMALS: Final = 18
MOST_INHERITED: Final = 100


def define(turn: Turn, msg: dict[str, Any]) -> None:
    """An asset named for its issuer."""
    assert turn.sender is not None
    name = f"{msg['code']}.{turn.sender}"
    scale = msg["scale"]
    need(name not in turn.books.assets, AssetWhy.ASSET_IS_DEFINED)
    need(scale <= MOST_DECIMALS, AssetWhy.SCALE_IS_TOO_LARGE)
    cap = None
    if "cap" in msg:
        cap, decimals = read_amount(msg["cap"])
        need(decimals == scale, AssetWhy.DECIMALS_DIFFER)
        need(cap > 0, AssetWhy.AMOUNT_IS_ZERO)
    turn.books.assets[name] = Asset(turn.sender, scale, cap, msg.get("metadata_hash"))
    turn.books.issued[name] = 0


def amount_of(turn: Turn, msg: dict[str, Any]) -> tuple[Asset, int]:
    """The asset that a message speaks of and how many units."""
    asset = turn.books.assets.get(msg["asset"])
    if asset is None:
        need(False, AssetWhy.ASSET_NOT_FOUND)
    assert asset is not None
    units, decimals = read_amount(msg["amount"])
    need(decimals == asset.scale, AssetWhy.DECIMALS_DIFFER)
    need(units > 0, AssetWhy.AMOUNT_IS_ZERO)
    return asset, units


def _once(turn: Turn, msg: dict[str, Any], asset: Asset) -> tuple[str, str]:
    """The external reference of an issuer, not used before."""
    reference = msg["asset"], msg["reference"]
    need(asset.issuer == turn.sender, AssetWhy.SENDER_IS_NOT_ISSUER)
    need(reference not in turn.books.settled, AssetWhy.REFERENCE_WAS_USED)
    return reference


def issue(turn: Turn, msg: dict[str, Any]) -> None:
    """New value."""
    books, payee = turn.books, msg["payee"]
    asset, units = amount_of(turn, msg)
    reference = _once(turn, msg, asset)
    need(not is_vault(payee), AssetWhy.VAULT_IS_CLOSED)
    most = MOST_UNITS if asset.cap is None else asset.cap
    need(books.issued[msg["asset"]] + units <= most, AssetWhy.CAP_IS_EXCEEDED)
    need(books.is_open(payee), AssetWhy.PAYEE_NOT_FOUND)
    guards.arrives(turn, msg["asset"], payee, units)
    books.issued[msg["asset"]] += units
    books.settled[reference] = Settled(units, payee, False)
    put(turn, msg["asset"], payee, units)
    say(turn, msg["asset"], units, payee=payee)


def redeem(turn: Turn, msg: dict[str, Any]) -> None:
    """Value that ends."""
    assert turn.sender is not None
    asset, units = amount_of(turn, msg)
    reference = _once(turn, msg, asset)
    reserved = guards.leaves(turn, msg["asset"], turn.sender)
    take(turn, msg["asset"], turn.sender, units, reserved)
    turn.books.issued[msg["asset"]] -= units
    turn.books.settled[reference] = Settled(units, turn.sender, True)
    say(turn, msg["asset"], units, payer=turn.sender)


def transfer(turn: Turn, msg: dict[str, Any]) -> None:
    """A payment by the sender."""
    assert turn.sender is not None
    pay(turn, msg, turn.sender, msg["payee"], by=None)


def pay(turn: Turn, msg: dict[str, Any], payer: str, payee: str, by: int | None) -> None:
    """Move `msg["amount"]` of `msg["asset"]`; `by` is the module that asks, for its own vault."""
    vault = None if by is None else f"{by:040x}"
    need(payer in (turn.sender, vault), AssetWhy.PAYER_HAS_NOT_AGREED)
    need(payee == vault or not is_vault(payee), AssetWhy.VAULT_IS_CLOSED)
    need(payer != payee, AssetWhy.PAYEE_IS_PAYER)
    _, units = amount_of(turn, msg)
    need(payee == vault or turn.books.is_open(payee), AssetWhy.PAYEE_NOT_FOUND)
    reserved = guards.leaves(turn, msg["asset"], payer)
    guards.arrives(turn, msg["asset"], payee, units)
    take(turn, msg["asset"], payer, units, reserved)
    put(turn, msg["asset"], payee, units)
    say(turn, msg["asset"], units, payer, payee)


def take(turn: Turn, asset: str, owner: str, units: int, reserved: int = 0) -> None:
    """Less for an owner, who keeps what is reserved."""
    balances = turn.books.balances
    left = balances.get((owner, asset), 0) - units
    need(left >= 0, AssetWhy.BALANCE_IS_TOO_LOW)
    need(left >= reserved, AssetWhy.VALUE_IS_RESERVED)
    balances[owner, asset] = left
    if left == 0:
        del balances[owner, asset]


def put(turn: Turn, asset: str, owner: str, units: int) -> None:
    """More for an owner."""
    balances = turn.books.balances
    balances[owner, asset] = balances.get((owner, asset), 0) + units


def say(
    turn: Turn, asset: str, units: int, payer: str | None = None, payee: str | None = None
) -> None:
    """The event of a movement."""
    amount = write_amount(units, turn.books.assets[asset].scale)
    ends = {"payer": payer, "payee": payee}
    event = {"@type": "asset.moved", "amount": amount, "asset": asset}
    turn.events.append(event | {name: end for name, end in ends.items() if end is not None})


def inherit(turn: Turn, owner: str, heir: str) -> None:
    """All that a closing account has goes to its heir."""
    books = turn.books
    issuer = any(asset.issuer == owner for asset in books.assets.values())
    need(not issuer, AssetWhy.ISSUER_CANNOT_CLOSE)
    held = sorted(asset for holder, asset in books.balances if holder == owner)
    need(len(held) <= MOST_INHERITED, AssetWhy.TOO_MANY_HOLDINGS)
    for asset in held:
        units = books.balances[owner, asset]
        reserved = guards.leaves(turn, asset, owner)
        guards.arrives(turn, asset, heir, units)
        take(turn, asset, owner, units, reserved)
        put(turn, asset, heir, units)
        say(turn, asset, units, owner, heir)


RULES: Final = {
    "asset.define": define,
    "asset.issue": issue,
    "asset.redeem": redeem,
    "asset.transfer": transfer,
}
