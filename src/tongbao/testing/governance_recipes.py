"""How random governance comes to make sense: who decides, and what they would change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tongbao.kernel import Address, Count, Id, Message, PublicKey, Small, Time
from tongbao.kernel.kernel_module import NodeId, Power, SettingName
from tongbao.modules import governance, upgrade
from tongbao.modules.governance import Action, Choice, Delay, Proposal
from tongbao.testing import member_recipes as members
from tongbao.testing import sponsor_recipes as sponsors
from tongbao.testing import upgrade_recipes as upgrades
from tongbao.testing.keys import MixedOrderKey
from tongbao.testing.world import NOBODY, UNKNOWN_ID, World

PROPOSALS: Final = "governance.proposals"
DELAYS_MS: Final = (0, 0, 1_000, 60_000)
HEAVIEST: Final = 1_000_000
CHANGED: Final = {
    "kernel.due_items": (1, 50),
    "kernel.upgrade_notice": (1, 3),
    "kernel.expiry_ms": (60_000, 86_400_000),
    "kernel.validators_limit": (1, 4),
    "kernel.peers_limit": (1, 4),
    "kernel.quotas": (0, 1),
    "kernel.common_capacity": (16, 500),
    "kernel.common_per_minute": (60, 6_000),
    "kernel.common_rows": (1, 50),
    "governance.operators_limit": (2, 5),
    "governance.proposals_limit": (1, 4),
    "governance.voting_ms": (60_000, 100_000_000),
    "governance.halt_ms": (60_000, 100_000),
    "governance.halt_rest_ms": (1, 10_000),
}
"""Parameters with which a history goes on, and between what they are set."""


def stranger(world: World) -> PublicKey:
    """A key that nobody has seen."""
    return PublicKey(world.new_signer().key_id)


def found(world: World, sender: Address) -> Message | None:
    """Some of the people as first operators; at odd times where there are some already."""
    if world.council is not None and not world.chance(0.3):
        return None
    names = [world.other_than(sender) for _ in range(world.number(0, 2))]
    operators = list(dict.fromkeys([sender, *names]))
    if world.odd():
        operators.append(world.one(operators))
    threshold = world.one([0, len(operators) + 1]) if world.odd() else world.number(1, 2)
    return governance.Found(
        authority=upgrades.authority(world) if world.chance(0.9) else stranger(world),
        operators=tuple(operators),
        threshold=Small(threshold if world.odd() else min(threshold, len(operators))),
        delay_ms=Delay(world.one(DELAYS_MS)),
    )


def proposer(world: World) -> Address | None:
    """An operator; at odd times anybody."""
    if world.council is None or world.odd():
        return world.somebody()
    return world.one(world.council.operators)


def propose(world: World, sender: Address) -> Message | None:
    """One to three changes, within the voting time; at odd times one of any kind."""
    if world.council is None and not world.odd():
        return None
    count = world.one([1, 1, 1, 2, 3])
    longest = world.machine.parameters[governance.VOTING_MS.name]
    closes_at = world.soon() if world.odd() else Time(world.time + world.number(1, longest))
    if world.odd():
        closes_at = Time(world.time + longest + 1)
    return governance.Propose(
        actions=tuple(an_action(world) for _ in range(count)), closes_at=closes_at
    )


def open_proposal(world: World, of: Callable[[Proposal], bool]) -> Id | None:
    """A proposal that is open and of some kind; now and then any, at odd times none."""
    known: dict[Id, Any] = world.rows[PROPOSALS]
    if world.odd():
        return UNKNOWN_ID
    if known and world.chance(0.2):
        return world.one(list(known))
    fitting = [name for name, one in known.items() if one.phase == "open" and of(one)]
    return world.one(fitting) if fitting else None


def voter(world: World) -> Address | None:
    """Somebody who may vote on something; at odd times anybody."""
    voters = [
        address
        for name, one in world.rows[PROPOSALS].items()
        if one.phase == "open"
        for address in one.voters
        if (name, address) not in world.ballots
    ]
    return world.one(voters) if voters and not world.odd() else world.somebody()


def vote(world: World, sender: Address) -> Message | None:
    """A word on a proposal of others, mostly for it."""
    name = open_proposal(world, lambda one: sender in one.voters and one.proposer != sender)
    if name is None:
        return None
    choice = "approve" if world.chance(0.75) else "reject"
    return governance.Vote(proposal=name, choice=Choice(choice))


def cancel(world: World, sender: Address) -> Message | None:
    """A proposal of the sender's that is taken back."""
    name = open_proposal(world, lambda one: one.proposer == sender)
    return None if name is None else governance.Cancel(proposal=name)


# What is proposed


def validator_key(world: World) -> PublicKey:
    """A key that votes on blocks; at odd times another, or one that can't."""
    if world.odd():
        mixed = MixedOrderKey(world.one(["first", "second"]))
        return PublicKey(mixed.key_id)
    known = list(world.validators)
    is_new = not known or world.odd() or world.chance(0.5)
    return stranger(world) if is_new else world.one(known)


def node_id(world: World) -> NodeId:
    """A node that may connect, or another."""
    known = list(world.peers)
    if known and world.chance(0.5):
        return world.one(known)
    return NodeId(f"{world.random.getrandbits(160):040x}")


def set_parameter(world: World) -> Action:
    """A parameter with which the history goes on; at odd times none, or out of its bounds."""
    name = world.one(list(CHANGED))
    value = world.number(*CHANGED[name])
    if world.odd():
        return governance.SetParameter(name=SettingName("kernel.whims"), value=Count(value))
    bounds = world.machine.registry.bounds_of(name)
    assert bounds is not None
    # Below zero there is no value at all.
    beyond = world.one([bounds[0] - 1 if bounds[0] else bounds[1] + 1, bounds[1] + 1])
    return governance.SetParameter(
        name=SettingName(name), value=Count(beyond if world.odd() else value)
    )


def schedule_upgrade(world: World) -> Action:
    """What an authority would schedule."""
    wanted = upgrades.schedule(world, NOBODY)
    assert isinstance(wanted, upgrade.Schedule)
    return governance.ScheduleUpgrade(
        height=wanted.height, modules=wanted.modules, features=wanted.features
    )


def cancel_upgrade(world: World) -> Action:
    """What an authority would cancel; where there is nothing, an upgrade that never was."""
    wanted = upgrades.cancel(world, NOBODY)
    height = wanted.height if isinstance(wanted, upgrade.Cancel) else Count(1)
    return governance.CancelUpgrade(height=height)


def remove_operator(world: World) -> Action:
    """One of the operators; at odd times somebody else."""
    known = () if world.council is None or world.odd() else world.council.operators
    return governance.RemoveOperator(operator=world.one(known) if known else world.somebody())


def set_threshold(world: World) -> Action:
    """A threshold in reach; at odd times not."""
    most = 1 if world.council is None else len(world.council.operators)
    threshold = world.one([0, most + 1]) if world.odd() else min(world.number(1, 2), most)
    return governance.SetThreshold(threshold=Small(threshold))


ACTIONS: Final[tuple[Callable[[World], Action], ...]] = (
    lambda world: governance.SetValidator(
        key=validator_key(world), power=Power(world.number(1, HEAVIEST))
    ),
    lambda world: governance.RemoveValidator(key=validator_key(world)),
    lambda world: governance.AdmitPeer(node=node_id(world)),
    lambda world: governance.RemovePeer(node=node_id(world)),
    set_parameter,
    schedule_upgrade,
    cancel_upgrade,
    lambda world: governance.AddOperator(operator=world.other_than(NOBODY)),
    remove_operator,
    set_threshold,
    lambda world: governance.SetDelay(delay_ms=Delay(world.one(DELAYS_MS))),
    *sponsors.ACTIONS,
)
"""How each kind of action is chosen, of those that are not about members."""


def an_action(world: World) -> Action:
    """Any kind of action; one of three is about members and halts."""
    return world.one(ACTIONS if world.chance(0.65) else members.ACTIONS)(world)
