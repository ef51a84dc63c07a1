"""Whether value may leave a holding or come to it, in the model."""

from __future__ import annotations

from typing import Final

from tongbao.simulation.model.books import Freeze, Rules, Standing, Turn, is_vault, need
from tongbao.simulation.model.numbers import AssetWhy

IN: Final = ("both", "credits")
OUT: Final = ("both", "debits")


def standing(turn: Turn, owner: str, asset: str) -> Standing:
    """What stands on a holding."""
    return turn.books.standings.get((owner, asset), Standing())


def leaves(turn: Turn, asset: str, owner: str) -> int:
    """Whether value may leave a holding; how much of it is reserved."""
    rules = turn.books.rules.get(asset)
    if rules is None or is_vault(owner):
        return 0
    stands = standing(turn, owner, asset)
    need(_may_hold(rules, stands, asset, owner), AssetWhy.PAYER_IS_NOT_AUTHORISED)
    need(not _stopped(turn, stands, OUT), AssetWhy.PAYER_IS_FROZEN)
    return stands.reserved


def arrives(turn: Turn, asset: str, owner: str, units: int) -> None:
    """Whether so much may come to a holding."""
    rules = turn.books.rules.get(asset)
    if rules is None or is_vault(owner):
        return
    stands = standing(turn, owner, asset)
    need(_may_hold(rules, stands, asset, owner), AssetWhy.PAYEE_IS_NOT_AUTHORISED)
    need(not _stopped(turn, stands, IN), AssetWhy.PAYEE_IS_FROZEN)
    limit = stands.limit if stands.limit is not None else rules.limit
    if "limits" in rules.flags and limit is not None and not _issues(owner, asset):
        after = turn.books.balances.get((owner, asset), 0) + units
        need(after <= limit, AssetWhy.LIMIT_IS_EXCEEDED)


def _issues(owner: str, asset: str) -> bool:
    return asset.split(".")[1] == owner


def _may_hold(rules: Rules, stands: Standing, asset: str, owner: str) -> bool:
    free = "authorisation" not in rules.flags
    return free or stands.authorised or _issues(owner, asset)


def _stopped(turn: Turn, stands: Standing, ways: tuple[str, ...]) -> bool:
    freezes: list[Freeze | None] = [stands.by_issuer, stands.by_supervisor]
    return any(one and turn.time < one.until and one.scope in ways for one in freezes)
