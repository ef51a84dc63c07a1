"""How random sponsors come to make sense: who stands for whom, and what they may spend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tongbao.kernel import Address, Message
from tongbao.kernel.kernel_module import RowCount, Share, SponsoredCount, Tokens
from tongbao.modules import governance, sponsor
from tongbao.modules.governance import Action
from tongbao.modules.sponsor import Lasts
from tongbao.testing.world import NOBODY, World

CAPACITIES: Final = (1, 20, 200, 10_000)
FLOWS: Final = (1, 60, 6_000)
COUNTS: Final = (0, 1, 2, 10)
ROWS: Final = (RowCount(0), RowCount(3), RowCount(30), None)
LASTS_MS: Final = (1, 5_000, 100_000_000)


def a_share(world: World) -> Share | None:
    """A small share, or none."""
    if world.chance(0.5):
        return None
    capacity = Tokens(world.one(CAPACITIES[:3]))
    return Share(capacity=capacity, per_minute=Tokens(world.one(FLOWS)))


def a_sponsor(world: World) -> Address | None:
    """Somebody with an allowance; at odd times anybody."""
    known = [address for address in world.allowances if address in world.people]
    return world.one(known) if known and not world.odd() else world.somebody()


def grant(world: World, sender: Address) -> Message | None:
    """A sponsor stands for somebody; who is none tries it at odd times."""
    if sender not in world.allowances and not world.odd():
        return None
    return sponsor.Grant(
        account=world.other_than(sender),
        expires_at=world.soon() if world.chance(0.3) else None,
        share=a_share(world),
    )


def carried(world: World, sender: Address) -> list[Address]:
    """The accounts that a sponsor stands for or has offered to."""
    offered = [account for account, by in world.offers if by == sender]
    standing = [name for name, row in world.sponsorships.items() if row.sponsor == sender]
    return [*standing, *offered]


def giver(world: World) -> Address | None:
    """Somebody who stands for others, or has offered to."""
    known = [row.sponsor for row in world.sponsorships.values()]
    return world.one([*known, *(by for _, by in world.offers)]) if known else None


def revoke(world: World, sender: Address) -> Message | None:
    """A sponsorship or an offer is taken back; at odd times one that is not there."""
    known = carried(world, sender)
    if not known or world.odd():
        return sponsor.Revoke(account=world.other_than(sender)) if world.odd() else None
    return sponsor.Revoke(account=world.one(known))


def asked(world: World) -> Address | None:
    """Somebody to whom a sponsor has offered; at odd times anybody."""
    known = [account for account, _ in world.offers]
    return world.one(known) if known and not world.odd() else world.somebody()


def take(world: World, sender: Address) -> Message | None:
    """An offer is taken; at odd times one that is not there."""
    known = [by for account, by in world.offers if account == sender]
    if known and not world.odd():
        return sponsor.Take(by=world.one(known))
    return sponsor.Take(by=world.other_than(sender)) if world.odd() else None


def sponsored(world: World) -> Address | None:
    """Somebody for whom a sponsor stands; at odd times anybody."""
    known = list(world.sponsorships)
    return world.one(known) if known and not world.odd() else world.somebody()


def leave(world: World, sender: Address) -> Message | None:
    """Somebody leaves a sponsor; who has none tries it at odd times."""
    if sender not in world.sponsorships and not world.odd():
        return None
    return sponsor.Leave()


def set_terms(world: World, sender: Address) -> Message | None:
    """Terms of a sponsor; who is none tries it at odd times."""
    if sender not in world.allowances and not world.odd():
        return None
    lasts = Lasts(world.one(LASTS_MS)) if world.chance(0.5) else None
    return sponsor.SetTerms(lasts_ms=lasts, share=a_share(world))


def end_terms(world: World, sender: Address) -> Message | None:
    """The end of terms; mostly of a sponsor's."""
    if sender not in world.allowances and not world.odd():
        return None
    return sponsor.EndTerms()


def set_allowance(world: World) -> Action:
    """Somebody becomes a sponsor, or may spend something else."""
    return governance.SetAllowance(
        sponsor=world.other_than(NOBODY),
        capacity=Tokens(world.one(CAPACITIES)),
        per_minute=Tokens(world.one(FLOWS)),
        accounts=SponsoredCount(world.one(COUNTS)),
        rows=world.one(ROWS),
    )


def end_allowance(world: World) -> Action:
    """A sponsor is none any more; at odd times somebody who never was."""
    known = list(world.allowances)
    one = world.one(known) if known and not world.odd() else world.somebody()
    return governance.EndAllowance(sponsor=one)


ACTIONS: Final[tuple[Callable[[World], Action], ...]] = (
    set_allowance,
    set_allowance,
    end_allowance,
)
