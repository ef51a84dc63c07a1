"""How random messages about accounts come to make sense."""

from __future__ import annotations

from typing import Final

from tongbao.kernel import Address, Message, PublicKey, Small, WeightedKey
from tongbao.modules import account
from tongbao.testing.keys import MixedOrderKey, ledger_key, named_key
from tongbao.testing.world import World

FEW: Final = 3
LANES: Final = 16
UNKNOWN_KEY: Final = PublicKey(named_key("nobody's").key_id)


def new_key(world: World) -> WeightedKey:
    """A fresh key; at odd times with something that no account accepts."""
    key = ledger_key(world.new_signer())
    weight = world.number(1, FEW)
    if world.odd():
        match world.number(1, 4):
            case 1:
                mixed = MixedOrderKey(world.one(["first", "second"]))
                world.signers[mixed.key_id] = mixed
                key = ledger_key(mixed)
            case 2:
                key = type(key)(algorithm=Small(world.one([0, 2, 3])), public=key.public)
            case 3:
                weight = world.one([0, 256])
            case _:
                known = world.people[world.somebody()].keys
                key = world.one(known).key
    return WeightedKey(key=key, weight=Small(weight))


def thresholds(world: World, total: int) -> tuple[Small, Small]:
    """An ordinary and a sensitive threshold in reach; at odd times not."""
    if world.odd():
        low, high = world.one([(0, 1), (2, 1), (1, total + 1)])
        return Small(low), Small(high)
    ordinary = 1 if world.chance(0.7) else world.number(1, max(1, total))
    return Small(ordinary), Small(world.number(ordinary, max(ordinary, total)))


def open_account(world: World, sender: Address) -> Message:
    """An account with one to three keys."""
    keys = tuple(new_key(world) for _ in range(world.number(1, FEW)))
    if world.odd():
        keys = (*keys, keys[0])
    ordinary, sensitive = thresholds(world, sum(entry.weight for entry in keys))
    lanes = world.one([0, LANES + 1]) if world.odd() else world.number(1, FEW)
    return account.Open(
        keys=keys,
        ordinary=ordinary,
        sensitive=sensitive,
        lanes=Small(lanes),
        under=world.chance(0.3),
    )


def own_key(world: World, sender: Address) -> PublicKey:
    """One of the sender's keys; at odd times somebody else's."""
    row = world.people.get(sender)
    if row is None or world.odd():
        return UNKNOWN_KEY
    return world.one(row.keys).key.public


def add_key(world: World, sender: Address) -> Message:
    """One more key; at odd times one that the sender has."""
    if world.odd() and sender in world.people:
        return account.AddKey(added=world.one(world.people[sender].keys))
    return account.AddKey(added=new_key(world))


def rotate_key(world: World, sender: Address) -> Message:
    """A fresh key for an old one."""
    return account.RotateKey(old=own_key(world, sender), new=new_key(world).key)


def remove_key(world: World, sender: Address) -> Message:
    """One key less, which the thresholds may not allow."""
    return account.RemoveKey(removed=own_key(world, sender))


def set_thresholds(world: World, sender: Address) -> Message:
    """Other thresholds for the keys that the sender has."""
    row = world.people.get(sender)
    total = sum(entry.weight for entry in row.keys) if row is not None else 1
    ordinary, sensitive = thresholds(world, total)
    return account.SetThresholds(ordinary=ordinary, sensitive=sensitive)


def set_lanes(world: World, sender: Address) -> Message:
    """As many lanes as before or more; at odd times fewer, or too many."""
    row = world.people.get(sender)
    lanes = row.lanes if row is not None else 1
    wanted = world.one([lanes - 1, LANES + 1]) if world.odd() else lanes + world.number(0, 2)
    return account.SetLanes(lanes=Small(wanted))


def set_incoming(world: World, sender: Address) -> Message:
    """References are asked for, mostly not."""
    return account.SetIncoming(needs_reference=world.chance(0.4))


def leaver(world: World) -> Address | None:
    """Somebody who could close an account: mostly one who has defined nothing."""
    if world.odd():
        return world.somebody()
    issuers = {definition.issuer for definition in world.assets.values()}
    free = [address for address in world.people if address not in issuers]
    return world.one(free) if len(free) > FEW else None


def close(world: World, sender: Address) -> Message:
    """The sender's account goes to another one."""
    return account.Close(heir=world.other_than(sender))
