"""How random upgrades come to make sense: mostly those with which a history can go on."""

from __future__ import annotations

from typing import Final

from tongbao.kernel import Address, Count, Hash, Message, Name, PublicKey, Small
from tongbao.kernel.kernel_module import ModuleLine, SettingName
from tongbao.modules import upgrade
from tongbao.testing.keys import named_key
from tongbao.testing.world import World

NEAR: Final = 20
OTHER_NUMBERS: Final = 60_000
NEVER_REACHED: Final = 1_000_000
"""Above every height of a random history: what needs code that nobody has begins there."""

LATER: Final = ModuleLine(
    number=Small(9_999), name=Name("later"), version=Small(1), hash=Hash("ef" * 32)
)


def authority(world: World) -> PublicKey:
    """The key that signs blocks; at odd times one that doesn't."""
    signer = world.new_signer() if world.odd() else named_key("authority")
    world.signers[signer.key_id] = signer
    return PublicKey(signer.key_id)


def schedule(world: World, sender: Address) -> Message:
    """Other code of one or two modules and at times a feature; at odd times what is refused."""
    lines = [_line(world) for _ in range(world.number(0, 2))]
    needs_code = any(line.number == LATER.number or line.version > 1 for line in lines)
    features = [SettingName(f"later.f{world.number(1, 99)}") for _ in range(world.number(0, 1))]
    if world.odd():
        features = features * 2
    base = NEVER_REACHED if needs_code else world.machine.height
    height = base + (-world.number(0, 3) if world.odd() else world.number(1, NEAR))
    if world.upgrades and world.odd():
        height = max(height if needs_code else 0, world.one(list(world.upgrades)))
    return upgrade.Schedule(
        authority=authority(world),
        height=Count(max(height, 0)),
        modules=tuple(lines),
        features=tuple(features),
    )


def _line(world: World) -> ModuleLine:
    """A module's line with other code; at odd times of another number, name or version."""
    valid = world.one(world.machine.genesis_file.modules)
    number, name, version = valid.number, valid.name, valid.version
    if world.odd():
        return LATER
    if world.odd():
        number = Small(OTHER_NUMBERS + number % 100)
    elif world.odd():
        name = Name("other")
    elif world.odd():
        version = Small(world.one([0, version + 1]))
    digits = f"{world.random.getrandbits(256):064x}"
    return ModuleLine(number=number, name=name, version=version, hash=Hash(digits))


def cancel(world: World, sender: Address) -> Message | None:
    """An upgrade to come; at odd times one that has begun, or none."""
    waiting = [height for height in world.upgrades if height > world.machine.height + 1]
    if world.odd():
        waiting = [Count(world.number(0, NEAR)), *world.upgrades]
    if not waiting:
        return None
    return upgrade.Cancel(authority=authority(world), height=world.one(waiting))
