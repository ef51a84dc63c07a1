"""How random messages come to make sense: for each message, who sends it and what it says.

A message without a recipe, of a module of somebody else's, is made from its types (`values.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from tongbao.kernel import UNITS_LIMIT, Address, Amount, AssetCode, AssetId, Hash, Message, Small
from tongbao.modules import account, asset, governance, hold, mandate, sponsor, upgrade
from tongbao.testing import account_recipes as people
from tongbao.testing import governance_recipes as deciding
from tongbao.testing import guardian_recipes as guarding
from tongbao.testing import mandate_recipes as agreeing
from tongbao.testing import sponsor_recipes as sponsoring
from tongbao.testing import upgrade_recipes as upgrades
from tongbao.testing.world import UNKNOWN_ASSET, UNKNOWN_ID, World

ISSUED_LIMIT: Final = 10**6


class Recipe(NamedTuple):
    """How often a message is wanted, who could send it, and what it says for that sender.

    Both give None when there is nobody or nothing to say.
    """

    weight: int
    sender: Callable[[World], Address | None]
    message: Callable[[World, Address], Message | None]


Recipes = Mapping[type[Message], Recipe]


def define(world: World, sender: Address) -> Message:
    """An asset of the sender with a new code, with and without a cap."""
    taken = [found.split(".")[0] for found in world.assets if found.endswith(sender)]
    code = f"A{len(world.assets) + world.number(1, 10_000)}"
    if taken and world.odd():
        code = world.one(taken)
    scale = world.one([0, 2, 2, 2, 6, 18])
    cap = None if world.chance(0.5) else world.amount(world.number(1, ISSUED_LIMIT), scale)
    return asset.Define(
        code=AssetCode(code),
        scale=Small(19 if world.odd() else scale),
        cap=cap,
        metadata_hash=Hash("ab" * 32) if world.chance(0.3) else None,
    )


def issuer(world: World) -> Address | None:
    """Somebody who has defined an asset."""
    return world.one(list(world.assets.values())).issuer if world.assets else None


def own_asset(world: World, sender: Address) -> AssetId | None:
    """An asset that the sender defined; at odd times any, or none that is known."""
    if world.odd():
        return world.one([UNKNOWN_ASSET, *world.assets])
    own = [found for found in world.assets if found.endswith(sender)]
    return world.one(own) if own else None


def decimals_of(world: World, found: AssetId) -> int:
    """The decimals of an asset, 2 for one that is not known."""
    definition = world.assets.get(found)
    return 2 if definition is None else definition.scale


def issue(world: World, sender: Address) -> Message | None:
    """New value of the sender's asset; at odd times more than can be."""
    found = own_asset(world, sender)
    if found is None:
        return None
    definition = world.assets.get(found)
    cap = definition.cap.units if definition is not None and definition.cap else ISSUED_LIMIT
    units = UNITS_LIMIT if world.odd() else world.number(1, max(1, cap // 8))
    payee = world.other_than(sender) if world.chance(0.8) else sender
    return asset.Issue(
        asset=found,
        amount=world.amount(units, decimals_of(world, found)),
        payee=payee,
        reference=world.reference(found),
    )


def redeem(world: World, sender: Address) -> Message | None:
    """Value of the sender's asset that the sender holds."""
    found = own_asset(world, sender)
    if found is None or (not world.balance(sender, found) and not world.odd()):
        return None
    units = max(1, world.balance(sender, found) // world.number(1, 3))
    return asset.Redeem(
        asset=found,
        amount=world.amount(units, decimals_of(world, found)),
        reference=world.reference(found),
    )


def owner(world: World) -> Address | None:
    """An open account that holds something."""
    owners = [address for address in world.holdings if address in world.people]
    return world.one(owners) if owners else None


def some_of(world: World, sender: Address) -> tuple[AssetId, Amount] | None:
    """Part of what the sender holds; at odd times more than that, or of an unknown asset."""
    if world.odd():
        return world.one([UNKNOWN_ASSET, *world.assets]), Amount.of(1, 2)
    held = world.holdings.get(sender)
    if not held:
        return None
    found, amount = world.one(held)
    units = amount.units + 1 if world.odd() else max(1, amount.units // world.number(2, 9))
    return found, world.amount(min(units, UNITS_LIMIT), amount.decimals)


def transfer(world: World, sender: Address) -> Message | None:
    """A payment; at odd times to a vault."""
    part = some_of(world, sender)
    if part is None:
        return None
    found, amount = part
    payee = hold.module.vault if world.odd() else world.other_than(sender)
    return asset.Transfer(
        asset=found,
        amount=amount,
        payee=payee,
        reference=world.reference(found) if world.chance(0.3) else None,
        remittance_hash=Hash("cd" * 32) if world.chance(0.2) else None,
    )


def place(world: World, sender: Address) -> Message | None:
    """A hold that falls due within the history."""
    part = some_of(world, sender)
    if part is None:
        return None
    found, amount = part
    return hold.Place(
        payee=world.other_than(sender), asset=found, amount=amount, expires_at=world.soon()
    )


def payee_of_hold(world: World) -> Address | None:
    """Somebody for whom a hold is open."""
    holds = list(world.rows["hold.holds"].values())
    payee: Address | None = world.one(holds).payee if holds else None
    return payee if payee in world.people else None


def capture(world: World, sender: Address) -> Message | None:
    """A hold for the sender; at odd times one for somebody else, or none."""
    holds = world.rows["hold.holds"]
    if world.odd():
        return hold.Capture(hold=world.one([UNKNOWN_ID, *holds]))
    own = [found for found, row in holds.items() if row.payee == sender]
    if not own:
        return None
    found = world.one(own)
    if world.chance(0.7):
        return hold.Capture(hold=found)
    amount = holds[found].amount
    units = amount.units + 1 if world.odd() else max(1, amount.units // world.number(1, 4))
    return hold.Capture(hold=found, amount=world.amount(units, amount.decimals))


RECIPES: Final[Recipes] = {
    account.Open: Recipe(4, World.somebody, people.open_account),
    account.AddKey: Recipe(3, World.somebody, people.add_key),
    account.RotateKey: Recipe(3, World.somebody, people.rotate_key),
    account.RemoveKey: Recipe(3, World.somebody, people.remove_key),
    account.SetThresholds: Recipe(3, World.somebody, people.set_thresholds),
    account.SetLanes: Recipe(3, World.somebody, people.set_lanes),
    account.SetIncoming: Recipe(2, World.somebody, people.set_incoming),
    account.Close: Recipe(2, people.leaver, people.close),
    account.SetGuardians: Recipe(3, guarding.ward, guarding.set_guardians),
    account.ProposeRecovery: Recipe(4, guarding.guardian, guarding.propose_recovery),
    account.ApproveRecovery: Recipe(4, guarding.guardian, guarding.approve_recovery),
    account.VetoRecovery: Recipe(2, guarding.recovered, guarding.veto_recovery),
    account.CancelChange: Recipe(1, guarding.changing, guarding.cancel_change),
    asset.Define: Recipe(3, World.somebody, define),
    asset.Issue: Recipe(12, issuer, issue),
    asset.Redeem: Recipe(4, issuer, redeem),
    asset.Transfer: Recipe(26, owner, transfer),
    hold.Place: Recipe(14, owner, place),
    hold.Capture: Recipe(9, payee_of_hold, capture),
    mandate.Grant: Recipe(6, owner, agreeing.grant),
    mandate.Revoke: Recipe(1, agreeing.party("owner"), agreeing.revoke),
    mandate.Collect: Recipe(8, agreeing.party("holder"), agreeing.collect),
    upgrade.Schedule: Recipe(2, World.somebody, upgrades.schedule),
    upgrade.Cancel: Recipe(1, World.somebody, upgrades.cancel),
    governance.Found: Recipe(1, World.somebody, deciding.found),
    governance.Propose: Recipe(12, deciding.proposer, deciding.propose),
    governance.Vote: Recipe(13, deciding.voter, deciding.vote),
    governance.Cancel: Recipe(3, deciding.proposer, deciding.cancel),
    sponsor.Grant: Recipe(5, sponsoring.a_sponsor, sponsoring.grant),
    sponsor.Revoke: Recipe(2, sponsoring.giver, sponsoring.revoke),
    sponsor.Take: Recipe(3, sponsoring.asked, sponsoring.take),
    sponsor.Leave: Recipe(1, sponsoring.sponsored, sponsoring.leave),
    sponsor.SetTerms: Recipe(2, sponsoring.a_sponsor, sponsoring.set_terms),
    sponsor.EndTerms: Recipe(1, sponsoring.a_sponsor, sponsoring.end_terms),
}
