"""What stands on an account's holdings and what was done to them, as lines of its page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from tongbao.kernel import Address, Amount, AssetId, Small, Time, is_vault
from tongbao.modules.asset import Controls, Flag, Standing

AUTHORISATION: Final = Flag("authorisation")
LIMITS: Final = Flag("limits")
NOTHING: Final = Standing()


class StandingLine(NamedTuple):
    """One thing that stands on a holding; `what` names its text among those of `control`.

    `is_over` where its end has passed; `is_row` where it is in the holding's own row, to be proven.
    """

    asset: AssetId
    what: str
    amount: Amount | None = None
    by: Address | None = None
    reason: Small | None = None
    until: Time | None = None
    is_over: bool = False
    is_row: bool = True


def standing_lines(
    rows: Iterable[tuple[tuple[Address, AssetId], Standing]], now: int
) -> Iterator[StandingLine]:
    """Every authorisation, limit, freeze and reservation of some holdings, at a time of ms UTC."""
    for (_, asset), standing in rows:
        if standing.authorised:
            yield StandingLine(asset, "authorised")
        if standing.limit is not None:
            yield StandingLine(asset, "limit", standing.limit)
        for frozen in (standing.frozen_by_issuer, standing.frozen_by_supervisor):
            if frozen is not None:
                yield StandingLine(
                    asset,
                    f"frozen_{frozen.scope}",
                    by=frozen.by,
                    reason=frozen.reason,
                    until=frozen.until,
                    is_over=frozen.until <= now,
                )
        for share in standing.reserved:
            yield StandingLine(asset, "reserved", share.amount, share.by)


def general_lines(
    owner: Address,
    rules: Mapping[AssetId, Controls],
    standings: Mapping[AssetId, Standing],
) -> Iterator[StandingLine]:
    """What an asset asks of everybody, and so of this owner, without a row of the holding's own.

    Issuers and vaults are bound by neither; an account's own limit goes before everybody's.
    """
    for asset, controls in rules.items():
        standing = standings.get(asset, NOTHING)
        if asset.endswith(owner) or is_vault(owner):
            continue
        if AUTHORISATION in controls.flags and not standing.authorised:
            yield StandingLine(asset, "unauthorised", is_row=False)
        is_limited = LIMITS in controls.flags and standing.limit is None
        if controls.limit is not None and is_limited:
            yield StandingLine(asset, "limit_all", controls.limit, is_row=False)
