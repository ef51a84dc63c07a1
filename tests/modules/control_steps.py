"""Steps that tests of control over holdings share: gold of carol's, which she controls."""

from __future__ import annotations

from tests.modules.asset_steps import GOLD, define_gold, issue, units
from tongbao.kernel import Address, Amount, Small, Time
from tongbao.modules import asset
from tongbao.modules.asset import (
    Authorise,
    ClawBack,
    Deauthorise,
    Flag,
    Freeze,
    Scope,
    SetFlags,
    SetLimit,
    Standing,
    Unfreeze,
)
from tongbao.testing import Chain, alice, bob

COURT = Small(1)
ERROR = Small(6)
HOUR_MS = 3_600_000
FIRST = 100

__all__ = ["GOLD", "units"]


def switch(*on: str, off: tuple[str, ...] = (), lock: tuple[str, ...] = ()) -> SetFlags:
    """Flags of gold."""
    return SetFlags(
        asset=GOLD,
        switch_on=tuple(map(Flag, on)),
        switch_off=tuple(map(Flag, off)),
        lock=tuple(map(Flag, lock)),
    )


def controlled(chain: Chain, *flags: str) -> None:
    """Gold with these flags, of which alice and bob hold 100 each."""
    define_gold(chain, cap=None)
    if flags:
        chain.apply("carol", switch(*flags))
    for name, owner in (("alice", alice), ("bob", bob)):
        if "authorisation" in flags:
            chain.apply("carol", authorise(owner))
        chain.apply("carol", issue(str(FIRST), f"for-{name}", payee=owner))


def authorise(owner: Address) -> Authorise:
    """Somebody may hold gold."""
    return Authorise(asset=GOLD, account=owner)


def deauthorise(owner: Address, reason: Small = COURT) -> Deauthorise:
    """Somebody may hold gold no more."""
    return Deauthorise(asset=GOLD, account=owner, reason=reason)


def freeze(
    chain: Chain,
    owner: Address,
    scope: str = "both",
    *,
    for_ms: int = HOUR_MS,
    reason: Small = COURT,
    as_supervisor: bool = False,
) -> Freeze:
    """A freeze of somebody's gold that begins with the next block."""
    return Freeze(
        asset=GOLD,
        account=owner,
        scope=Scope(scope),
        reason=reason,
        until=Time(chain.time + for_ms),
        as_supervisor=as_supervisor,
    )


def unfreeze(owner: Address, *, as_supervisor: bool = False) -> Unfreeze:
    """The end of a freeze of gold."""
    return Unfreeze(asset=GOLD, account=owner, as_supervisor=as_supervisor)


def claw_back(amount: str, owner: Address, reason: Small = ERROR) -> ClawBack:
    """Gold that goes back to carol."""
    return ClawBack(asset=GOLD, account=owner, amount=Amount(amount), reason=reason)


def limit(amount: str | None, owner: Address | None = None, reason: Small = COURT) -> SetLimit:
    """The most gold that somebody, or anybody, may hold."""
    most = None if amount is None else Amount(amount)
    return SetLimit(asset=GOLD, account=owner, limit=most, reason=reason)


def standing(chain: Chain, owner: Address) -> Standing | None:
    """What stands on somebody's gold."""
    return asset.standing_of(chain.view(asset.module), owner, GOLD)
