"""How random inspections come to make sense: who opens one, ends one, and records what was read."""

from __future__ import annotations

from typing import Final

from tongbao.kernel import Address, Count, Hash, Message, Small, Time
from tongbao.modules import member, reading
from tongbao.testing.recipes import Recipe, Recipes
from tongbao.testing.world import UNKNOWN_ID, World

INSPECTIONS: Final = "reading.inspections"
KINDS: Final = ("histories", "pages", "queries", "rows", "statements")
FAR_MS: Final = 10**12
BATCHES: Final = 5
"""So few names of batches that one comes again."""


def acting_as(role: str, world: World) -> list[Address]:
    """Open accounts that act for a member with a role."""
    return [
        address
        for address, acting in world.acting.items()
        if address in world.people and role in world.members[acting.member].roles
    ]


def supervisor(world: World) -> Address | None:
    """A supervisor; at odd times anybody."""
    found = acting_as(member.SUPERVISOR, world)
    return world.somebody() if world.odd() else world.one(found) if found else None


def operator(world: World) -> Address | None:
    """Who acts for an operator; at odd times anybody."""
    found = acting_as(member.OPERATOR, world)
    return world.somebody() if world.odd() else world.one(found) if found else None


def inspector(world: World) -> Address | None:
    """Who has opened an inspection."""
    known = [row.by for row in world.rows.get(INSPECTIONS, {}).values() if row.by in world.people]
    return world.one(known) if known else None


def open_inspection(world: World, sender: Address) -> Message | None:
    """An inspection of somebody, at odd times of oneself, without a ground, or without an end."""
    if sender not in acting_as(member.SUPERVISOR, world) and not world.odd():
        return None
    far = Time(world.time + FAR_MS)
    of = world.other_than(sender)
    known = [row.account for row in world.rows.get(INSPECTIONS, {}).values() if row.by == sender]
    if known and world.chance(0.4):
        of = world.one(known)
    return reading.OpenInspection(
        account=sender if world.odd() else of,
        reason=Small(0 if world.odd() else world.number(1, len(reading.GROUNDS))),
        basis_hash=Hash("ef" * 32),
        until=far if world.odd() else world.soon(),
    )


def close_inspection(world: World, sender: Address) -> Message | None:
    """An inspection of the sender's, which may have ended; at odd times any, or none."""
    known = world.rows.get(INSPECTIONS, {})
    own = [name for name, row in known.items() if row.by == sender]
    if world.chance(0.2):
        own = [UNKNOWN_ID, *known]
    return reading.CloseInspection(inspection=world.one(own)) if own else None


def record_reads(world: World, sender: Address) -> Message | None:
    """A few reads under one or two inspections; at odd times none, or under an unknown one."""
    known = [*world.rows.get(INSPECTIONS, {})]
    if world.odd():
        known = [UNKNOWN_ID]
    is_operator = sender in acting_as(member.OPERATOR, world) or world.odd()
    if not known or not is_operator:
        return None
    named = {world.one(known) for _ in range(2)}
    since = Time(max(0, world.time - 1_000))
    until = Time(world.time)
    if world.odd():
        since, until = until, since
    reads = tuple(
        reading.Counted(
            inspection=name,
            since=since,
            until=until,
            **{kind: Count(world.number(0, 3)) for kind in KINDS},
        )
        for name in sorted(named)
    )
    twice = (*reads, *reads) if world.odd() else reads
    return reading.RecordReads(batch=Hash(f"{world.number(1, BATCHES):064x}"), reads=twice)


READING_RECIPES: Final[Recipes] = {
    reading.OpenInspection: Recipe(5, supervisor, open_inspection),
    reading.CloseInspection: Recipe(2, inspector, close_inspection),
    reading.RecordReads: Recipe(6, operator, record_reads),
}
