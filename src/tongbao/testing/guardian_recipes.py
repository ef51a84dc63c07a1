"""How random guardians and recoveries come to make sense."""

from __future__ import annotations

from typing import Final

from tongbao.kernel import Address, Id, Message, PublicKey, Small
from tongbao.modules import account
from tongbao.testing.account_recipes import new_key
from tongbao.testing.world import NOBODY, UNKNOWN_ID, World

RECOVERIES: Final = "account.recoveries"
FEW: Final = 3


def is_shared(row: account.Account) -> bool:
    """Whether an account may have guardians."""
    return all(entry.weight < row.sensitive for entry in row.keys)


def ward(world: World) -> Address | None:
    """Somebody who could name guardians; at odd times anybody."""
    fit = [address for address, row in world.people.items() if is_shared(row)]
    return world.one(fit) if fit and not world.odd() else world.somebody()


def set_guardians(world: World, sender: Address) -> Message:
    """One to three others; now and then nobody, at odd times too many of them."""
    if world.chance(0.1):
        return account.SetGuardians(guardians=(), threshold=Small(0))
    named = [world.other_than(sender) for _ in range(world.number(1, FEW))]
    if not world.odd():
        named = list(dict.fromkeys(named))
    threshold = world.one([0, len(named) + 1]) if world.odd() else world.number(1, len(named))
    return account.SetGuardians(guardians=tuple(named), threshold=Small(threshold))


def guardian(world: World) -> Address | None:
    """Somebody whom others trust; at odd times anybody."""
    named = [address for guard in world.guards.values() for address in guard.guardians]
    if world.odd():
        return world.somebody()
    return world.one(named) if named else None


def propose_recovery(world: World, sender: Address) -> Message | None:
    """Two or three fresh keys for somebody who trusts the sender."""
    wards = [one for one, guard in world.guards.items() if sender in guard.guardians]
    if world.odd():
        wards = [NOBODY, *world.guards]
    if not wards:
        return None
    keys = tuple(new_key(world) for _ in range(world.number(2, FEW)))
    heaviest, total = max(entry.weight for entry in keys), sum(entry.weight for entry in keys)
    sensitive = heaviest if world.odd() else min(heaviest + 1, total)
    return account.ProposeRecovery(
        account=world.one(wards),
        keys=keys,
        ordinary=Small(1),
        sensitive=Small(sensitive),
    )


def approve_recovery(world: World, sender: Address) -> Message | None:
    """What another guardian has asked for; at odd times anything, or nothing that is known."""
    known = world.rows[RECOVERIES]
    if world.odd():
        return account.ApproveRecovery(recovery=world.one([UNKNOWN_ID, *known]))
    fit = [
        name
        for name, row in known.items()
        if sender in world.guards[row.account].guardians and sender not in row.approvals
    ]
    return account.ApproveRecovery(recovery=world.one(fit)) if fit else None


def recovered(world: World) -> Address | None:
    """Somebody whom guardians would give other keys, mostly."""
    known = [row.account for row in world.rows[RECOVERIES].values()]
    return world.one(known) if known and not world.odd() else None


def veto_recovery(world: World, sender: Address) -> Message | None:
    """What guardians ask for the sender, with the keys from before where that is needed."""
    known = world.rows[RECOVERIES]
    fit = [name for name, row in known.items() if row.account == sender]
    if world.odd():
        fit = [UNKNOWN_ID, *known]
    if not fit:
        return None
    name: Id = world.one(fit)
    older: tuple[PublicKey, ...] = ()
    before = world.rescues.get(sender)
    if before is not None and world.chance(0.7):
        older = tuple(entry.key.public for entry in before.keys)
    return account.VetoRecovery(recovery=name, older=older)


def changing(world: World) -> Address | None:
    """Somebody whose account waits to change; at odd times anybody."""
    return world.one(list(world.changes)) if world.changes and not world.odd() else None


def cancel_change(world: World, sender: Address) -> Message:
    """What waits is taken back."""
    return account.CancelChange()
