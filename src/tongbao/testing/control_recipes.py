"""How random control over holdings comes to make sense: flags, freezes, clawback, and holds."""

from __future__ import annotations

from typing import Any, Final

from tongbao.kernel import Address, Amount, AssetId, Hash, Message, Small, Time
from tongbao.modules import asset, hold, member
from tongbao.testing.recipes import (
    Recipe,
    Recipes,
    decimals_of,
    issuer,
    own_asset,
    payee_of_hold,
)
from tongbao.testing.world import UNKNOWN_ID, World

FLAGS: Final = tuple(map(asset.Flag, ("authorisation", "clawback", "freezing", "limits")))
SCOPES: Final = tuple(map(asset.Scope, ("both", "credits", "debits")))
HOLDS: Final = "hold.holds"
FAR_MS: Final = 10**12


def ground(world: World) -> Small:
    """A ground; at odd times a number that is none."""
    return Small(world.one([0, 12, 65_535]) if world.odd() else world.number(1, 11))


def basis(world: World) -> Hash | None:
    """Now and then the hash of a paper."""
    return Hash("ef" * 32) if world.chance(0.2) else None


def asset_with(world: World, sender: Address, flag: str) -> AssetId | None:
    """An asset of the sender's with a flag; at odd times any own."""
    if world.odd():
        return own_asset(world, sender)
    own = [
        found
        for found, rules in world.controls.items()
        if flag in rules.flags and found.endswith(sender)
    ]
    return world.one(own) if own else None


def flags_of(world: World, found: AssetId) -> tuple[str, ...]:
    """The flags of an asset."""
    rules = world.controls.get(found)
    return () if rules is None else rules.flags


def controller(world: World) -> Address | None:
    """Mostly an issuer whose asset is under control."""
    own = [found.split(".")[1] for found, rules in world.controls.items() if rules.flags]
    return Address(world.one(own)) if own and world.chance(0.8) else issuer(world)


def holder_of(world: World, found: AssetId, sender: Address) -> Address:
    """Mostly somebody who holds the asset."""
    holders = [owner for owner in world.people if world.balance(owner, found) and owner != sender]
    return world.one(holders) if holders and world.chance(0.7) else world.other_than(sender)


def set_flags(world: World, sender: Address) -> Message | None:
    """Some flags on, some off, now and then one locked; at odd times what is not allowed."""
    found = own_asset(world, sender)
    if found is None:
        return None
    rules = world.controls.get(found, asset.Controls())
    held = any(world.balance(owner, found) for owner in world.people)
    free = [flag for flag in FLAGS if flag not in rules.locked or world.chance(0.4)]
    if held and not world.odd():
        free = [flag for flag in free if flag not in ("authorisation", "clawback")]
    likely = {flag: 0.2 if flag == "authorisation" else 0.6 for flag in FLAGS}
    on = [flag for flag in free if flag not in rules.flags and world.chance(likely[flag])]
    off = [flag for flag in free if flag in rules.flags and world.chance(0.1)]
    if world.odd():
        off = on
    lock = [flag for flag in FLAGS if world.chance(0.04)]
    if not (on or off or lock or world.odd()):
        return None
    return asset.SetFlags(asset=found, switch_on=tuple(on), switch_off=tuple(off), lock=tuple(lock))


def authorise(world: World, sender: Address) -> Message | None:
    """Somebody who may hold."""
    found = asset_with(world, sender, "authorisation")
    if found is None:
        return None
    return asset.Authorise(asset=found, account=holder_of(world, found, sender))


def deauthorise(world: World, sender: Address) -> Message | None:
    """Somebody who was authorised, or was not."""
    known: list[tuple[Address, AssetId]] = [
        key
        for key, stands in world.standings.items()
        if stands.authorised and key[1].endswith(sender)
    ]
    if world.odd():
        own = own_asset(world, sender)
        known = [] if own is None else [(world.other_than(sender), own)]
    if not known:
        return None
    account, found = world.one(known)
    return asset.Deauthorise(
        asset=found, account=account, reason=ground(world), basis_hash=basis(world)
    )


def set_limit(world: World, sender: Address) -> Message | None:
    """A limit for one or for all, or none any more."""
    found = asset_with(world, sender, "limits")
    if found is None:
        return None
    holder = holder_of(world, found, sender) if world.chance(0.6) else None
    most = max(2, world.balance(holder, found) * 2 if holder else 100_000)
    limit = world.amount(world.number(1, most), decimals_of(world, found))
    return asset.SetLimit(
        asset=found,
        account=holder,
        limit=limit if world.chance(0.7) else None,
        reason=ground(world),
        basis_hash=basis(world),
    )


def is_supervisor(world: World, address: Address) -> bool:
    """Whether an account acts for a member that is a supervisor."""
    acting = world.acting.get(address)
    return acting is not None and member.SUPERVISOR in world.members[acting.member].roles


def freezer(world: World) -> Address | None:
    """A supervisor where there is one, or an issuer."""
    supervisors = [address for address in world.people if is_supervisor(world, address)]
    return world.one(supervisors) if supervisors and world.chance(0.5) else controller(world)


def freeze(world: World, sender: Address) -> Message | None:
    """A freeze that ends within the history; at odd times never, or as who is no supervisor."""
    supervises = is_supervisor(world, sender)
    found = asset_with(world, sender, "freezing")
    if supervises and world.assets:
        found = world.one(list(world.assets))
    if found is None:
        return None
    until = Time(world.time + FAR_MS) if world.odd() else world.soon()
    return asset.Freeze(
        asset=found,
        account=holder_of(world, found, sender),
        scope=world.one(SCOPES),
        reason=ground(world),
        until=until,
        as_supervisor=supervises != world.odd(),
        basis_hash=basis(world),
    )


def unfreeze(world: World, sender: Address) -> Message | None:
    """The end of a freeze, where there is one; at odd times in the other capacity."""
    supervises = is_supervisor(world, sender)
    known = [
        key for key, stands in world.standings.items() if is_to_end(world, sender, key, stands)
    ]
    if not known:
        return None
    account, found = world.one(known)
    return asset.Unfreeze(asset=found, account=account, as_supervisor=supervises != world.odd())


def is_to_end(
    world: World, sender: Address, key: tuple[Address, AssetId], stands: asset.Standing
) -> bool:
    """Whether the sender could end a freeze of a holding; at odd times one that has ended."""
    frozen = stands.frozen_by_issuer if key[1].endswith(sender) else None
    if is_supervisor(world, sender):
        frozen = stands.frozen_by_supervisor
    return frozen is not None and (world.time < frozen.until or world.odd())


def claw_back(world: World, sender: Address) -> Message | None:
    """Part of what somebody holds; at odd times more."""
    found = asset_with(world, sender, "clawback")
    if found is None:
        return None
    holder = holder_of(world, found, sender)
    held = world.balance(holder, found)
    units = held + 1 if world.odd() else max(1, held // world.number(1, 4))
    return asset.ClawBack(
        asset=found,
        account=holder,
        amount=world.amount(units, decimals_of(world, found)),
        reason=ground(world),
        basis_hash=basis(world),
    )


def release(world: World, sender: Address) -> Message | None:
    """A hold for the sender; at odd times another."""
    found = own_hold(world, sender, "payee")
    return None if found is None else hold.Release(hold=found)


def extend(world: World, sender: Address) -> Message | None:
    """A hold of the sender's that expires later; at odd times earlier, or another's."""
    found = own_hold(world, sender, "payer")
    if found is None:
        return None
    row = world.rows[HOLDS].get(found)
    now = row.expires_at if row is not None else world.time
    later = now - 1 if world.odd() else now + world.one([1, 1_000, 60_000])
    return hold.Extend(hold=found, expires_at=Time(later))


def payer_of_hold(world: World) -> Address | None:
    """Somebody who has placed a hold."""
    holds = list(world.rows[HOLDS].values())
    payer: Address | None = world.one(holds).payer if holds else None
    return payer if payer in world.people else None


def own_hold(world: World, sender: Address, end: str) -> Any:
    """A hold with the sender at an end; at odd times any, or none."""
    holds = world.rows[HOLDS]
    if world.odd():
        return world.one([UNKNOWN_ID, *holds])
    own = [found for found, row in holds.items() if getattr(row, end) == sender]
    return world.one(own) if own else None


def issuer_of_hold(world: World) -> Address | None:
    """The issuer of an asset that is on hold."""
    holds = list(world.rows[HOLDS].values())
    return Address(world.one(holds).asset.split(".")[1]) if holds else None


def recall(world: World, sender: Address) -> Message | None:
    """A hold of the sender's asset; at odd times of another's."""
    holds = world.rows[HOLDS]
    own = [
        found
        for found, row in holds.items()
        if row.asset.endswith(sender) and "clawback" in flags_of(world, row.asset)
    ]
    if world.odd():
        own = [UNKNOWN_ID, *holds]
    if not own:
        return None
    return hold.Recall(hold=world.one(own), reason=ground(world), basis_hash=basis(world))


def part_of(world: World, amount: Amount) -> Amount:
    """All or part of an amount; at odd times more, or other decimals."""
    units = amount.units + 1 if world.odd() else max(1, amount.units // world.number(1, 3))
    return world.amount(units, amount.decimals)


CONTROL_RECIPES: Final[Recipes] = {
    asset.SetFlags: Recipe(3, issuer, set_flags),
    asset.Authorise: Recipe(3, controller, authorise),
    asset.Deauthorise: Recipe(1, controller, deauthorise),
    asset.SetLimit: Recipe(2, controller, set_limit),
    asset.Freeze: Recipe(4, freezer, freeze),
    asset.Unfreeze: Recipe(1, freezer, unfreeze),
    asset.ClawBack: Recipe(3, controller, claw_back),
    hold.Release: Recipe(1, payee_of_hold, release),
    hold.Extend: Recipe(3, payer_of_hold, extend),
    hold.Recall: Recipe(2, issuer_of_hold, recall),
}
