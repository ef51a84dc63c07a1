"""What stands on an account's holdings and what was done to them, as lines of its page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tongbao.kernel import Address, Amount, AssetId, Small, Time
from tongbao.modules.asset import Standing


class StandingLine(NamedTuple):
    """One thing that stands on a holding; `what` names its text among those of `control`."""

    asset: AssetId
    what: str
    amount: Amount | None = None
    by: Address | None = None
    reason: Small | None = None
    until: Time | None = None


def standing_lines(
    rows: Iterable[tuple[tuple[Address, AssetId], Standing]],
) -> Iterator[StandingLine]:
    """Every authorisation, limit, freeze and reservation of some holdings."""
    for (_, asset), standing in rows:
        if standing.authorised:
            yield StandingLine(asset, "authorised")
        if standing.limit is not None:
            yield StandingLine(asset, "limit", standing.limit)
        for frozen in (standing.frozen_by_issuer, standing.frozen_by_supervisor):
            if frozen is not None:
                what = f"frozen_{frozen.scope}"
                yield StandingLine(
                    asset, what, by=frozen.by, reason=frozen.reason, until=frozen.until
                )
        for share in standing.reserved:
            yield StandingLine(asset, "reserved", share.amount, share.by)
