"""How random mischief comes to make sense, and chapters that need an id before it is derived."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tongbao.kernel import Address, Amount, AssetId, Count, Id, Message, Small, Time
from tongbao.kernel.identifiers import derived_id
from tongbao.kernel.kernel_module import BLOCK_ROWS, TRANSACTION_ROWS
from tongbao.simulation import mischief
from tongbao.simulation.mischief import Habit
from tongbao.testing.control_recipes import part_of
from tongbao.testing.drafts import Draft
from tongbao.testing.recipes import Recipe, Recipes, owner, some_of
from tongbao.testing.world import UNKNOWN_ID, World
from tongbao.testing.writer import Writer

JARS: Final = 4
THINGS: Final = "mischief.things"
FEW_ROWS: Final = 20
DUE_INDEX: Final = 3
SOON_MS: Final = 1_000


def habit_of(world: World) -> Small:
    """A habit; one that spends all work only where a block has enough of it for others."""
    if world.odd():
        return Small(len(Habit))
    habit = world.one(list(Habit))
    limits = world.machine.parameters
    if limits[BLOCK_ROWS.name] < 20 * limits[TRANSACTION_ROWS.name] and habit is Habit.BURNS:
        habit = Habit.TIDY
    return Small(habit)


def rob(world: World, sender: Address) -> Message | None:
    """Somebody else's money for the sender, at times that of a vault."""
    victims = [owner for owner in world.holdings if owner != sender]
    victim = world.one(victims) if victims else mischief.module.vault
    part = some_of(world, victim)
    if part is None:
        return None
    found, amount = part
    return mischief.Rob(payer=victim, asset=found, amount=amount)


def burn(world: World, sender: Address) -> Message:
    """A little work, or more than a transaction may do."""
    limit = world.machine.parameters[TRANSACTION_ROWS.name]
    rows = limit + 1 if world.chance(0.2) else world.number(0, FEW_ROWS)
    return mischief.Burn(rows=Count(rows))


def pour(world: World, sender: Address) -> Message:
    """A few drops from one jar to another."""
    source = world.number(0, JARS - 1)
    target = source if world.odd() else (source + world.number(1, JARS)) % (JARS + 1)
    drops = 60_000 if world.odd() else world.number(0, 9)
    return mischief.Pour(source=Small(source), target=Small(target), drops=Small(drops))


def spill(world: World, sender: Address) -> Message:
    """A few drops, at times none."""
    return mischief.Spill(jar=Small(world.number(0, JARS)), drops=Small(world.number(0, 9)))


def make(world: World, sender: Address) -> Message:
    """A thing that falls due soon."""
    return mischief.Make(due_at=world.soon(), habit=habit_of(world))


def thing_of(world: World) -> Id:
    """A thing that there is; at odd times none."""
    things = list(world.rows[THINGS])
    return world.one(things) if things and not world.odd() else UNKNOWN_ID


def squat(world: World, sender: Address) -> Message:
    """A place where something is, or nothing."""
    place = thing_of(world) if world.chance(0.5) else Id(f"{world.random.getrandbits(160):040x}")
    return mischief.Squat(place=place, habit=habit_of(world))


def repair(world: World, sender: Address) -> Message:
    """A thing put right, or only written anew as it was."""
    thing_id = thing_of(world)
    thing = world.rows[THINGS].get(thing_id)
    if thing is not None and thing.due_at is not None and world.chance(0.3):
        return mischief.Repair(thing=thing_id, due_at=thing.due_at, habit=thing.habit)
    return mischief.Repair(thing=thing_id, due_at=world.soon(), habit=habit_of(world))


def tell(world: World, sender: Address) -> Message:
    """The number of things with a habit after the last block; at odd times another."""
    habit = world.number(0, len(Habit))
    count = sum(thing.habit == habit for thing in world.rows[THINGS].values())
    return mischief.Tell(habit=Small(habit), things=Count(count + (1 if world.odd() else 0)))


def regret(world: World, sender: Address) -> Message:
    """A thing and drops that are taken back."""
    return mischief.Regret(due_at=world.soon(), habit=habit_of(world))


def set_aside(world: World, sender: Address) -> Message | None:
    """Part of what the sender holds; at odd times of what somebody else does."""
    part = some_of(world, sender)
    if part is None:
        return None
    found, amount = part
    held_by = world.other_than(sender) if world.odd() else sender
    return mischief.SetAside(owner=held_by, asset=found, amount=amount)


def claim_of(world: World) -> tuple[Address, AssetId, Amount] | None:
    """What the module has reserved in some holding, or a part of it."""
    shares = [
        (key, share.amount) for key, stands in world.standings.items() for share in stands.reserved
    ]
    if not shares:
        return None
    (held_by, found), amount = world.one(shares)
    return held_by, found, part_of(world, amount)


def let_go(world: World, sender: Address) -> Message | None:
    """Part of a claim, or more."""
    claim = claim_of(world)
    if claim is None:
        return None
    held_by, found, amount = claim
    return mischief.LetGo(owner=held_by, asset=found, amount=amount)


def deliver(world: World, sender: Address) -> Message | None:
    """Part of a claim for somebody."""
    claim = claim_of(world)
    if claim is None:
        return None
    held_by, found, amount = claim
    payee = world.other_than(held_by)
    return mischief.Deliver(owner=held_by, asset=found, amount=amount, payee=payee)


RECIPES: Final[Recipes] = {
    mischief.Rob: Recipe(3, World.somebody, rob),
    mischief.Burn: Recipe(3, World.somebody, burn),
    mischief.Pour: Recipe(4, World.somebody, pour),
    mischief.Spill: Recipe(2, World.somebody, spill),
    mischief.Make: Recipe(8, World.somebody, make),
    mischief.Squat: Recipe(3, World.somebody, squat),
    mischief.Repair: Recipe(3, World.somebody, repair),
    mischief.Tell: Recipe(4, World.somebody, tell),
    mischief.Regret: Recipe(3, World.somebody, regret),
    mischief.SetAside: Recipe(4, owner, set_aside),
    mischief.LetGo: Recipe(2, World.somebody, let_go),
    mischief.Deliver: Recipe(2, World.somebody, deliver),
}


def squatting(world: World, writer: Writer) -> Iterator[list[Draft]]:
    """A sender takes the id beforehand that the sender's next message would create."""
    sender = world.somebody()
    draft = writer.address(sender, (mischief.Make(due_at=world.soon(), habit=Small(0)),))
    draft.nonce = world.highest(sender, draft.lane) + 2
    place = derived_id(
        b"id",
        bytes.fromhex(sender),
        draft.lane.to_bytes(2, "big"),
        draft.nonce.to_bytes(8, "big"),
        bytes(2),
        bytes(4),
    )
    early = writer.address(sender, (mischief.Squat(place=place, habit=Small(0)),))
    early.lane, early.nonce = draft.lane, draft.nonce - 1
    yield [early, draft]


def squatting_on_due_work(world: World, writer: Writer) -> Iterator[list[Draft]]:
    """Somebody takes the id beforehand that a thing would give its young when it falls due."""
    due_at = Time(world.time + 10 * SOON_MS)
    known = set(world.rows[THINGS])
    sender = world.somebody()
    breeds = mischief.Make(due_at=due_at, habit=Small(Habit.BREEDS))
    yield [writer.address(sender, (breeds,))]
    made = [
        found
        for found, thing in world.rows[THINGS].items()
        if found not in known and thing.due_at == due_at
    ]
    if not made or sender not in world.people:
        return
    prefix = mischief.module.number.to_bytes(2, "big") + DUE_INDEX.to_bytes(2, "big")
    due = due_at.to_bytes(8, "big")
    place = derived_id(b"due-id", prefix, bytes.fromhex(made[0]), due, bytes(4))
    yield [writer.address(sender, (mischief.Squat(place=place, habit=Small(0)),))]


def spending_a_block(world: World, writer: Writer) -> Iterator[list[Draft]]:
    """Somebody burns more than a transaction may, again and again, before others pay."""
    limit = world.machine.parameters[TRANSACTION_ROWS.name]
    if world.machine.parameters[BLOCK_ROWS.name] > limit:
        return
    drafts = []
    for message in (mischief.Burn(rows=Count(limit + 1)), *([_nothing(world)] * 3)):
        sender = world.somebody()
        drafts.append(writer.address(sender, (message,)))
    yield drafts


def _nothing(world: World) -> Message:
    """A message that would have changed little."""
    return mischief.Pour(source=Small(0), target=Small(1), drops=Small(1))


CHAPTERS: Final = (squatting, squatting_on_due_work, spending_a_block)
