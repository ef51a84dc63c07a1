"""How mischief is done, and the rules that should stop it: the module of the simulator alone.

It is written as no module should be. What it declares properly (an invariant, a conservation, an
index and a structure over the same rows) is there to show whether the kernel holds it to that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from tongbao.kernel import (
    Address,
    Amount,
    AssetId,
    Audit,
    Changes,
    Context,
    Id,
    Module,
    Small,
    Time,
    Work,
    require,
)
from tongbao.kernel.kernel_module import TRANSACTION_ROWS
from tongbao.modules import asset, hold
from tongbao.simulation.mischief.messages import (
    Burn,
    Claim,
    Deliver,
    Habit,
    Jar,
    LetGo,
    Make,
    Pour,
    Regret,
    Repair,
    Rob,
    SetAside,
    Spill,
    Squat,
    Start,
    Tell,
    Thing,
    Why,
)

LATER_MS: Final = 1_000
FIRST_JAR: Final = Small(0)
SECOND_JAR: Final = Small(1)
NO_ASSET: Final = AssetId("NONE." + "f" * 40)

module = Module(64_000, "mischief", uses=(asset.module,), reasons=Why)
jars = module.table(1, key=Small, value=Jar)
things = module.table(2, key=Id, value=Thing)
by_due = module.index(3, of=things, by=lambda thing: thing.due_at)
by_habit = module.index(4, of=things, by=lambda thing: thing.habit)
claims = module.table(5, key=tuple[Address, AssetId], value=Claim)


def count_habits(rows: Iterable[tuple[Id, Thing]]) -> dict[int, int]:
    """How many things have each habit."""
    return dict(Counter(thing.habit for _, thing in rows))


def recount(counts: dict[int, int], key: Id, new: Thing | None, old: Thing | None) -> None:
    """Follow one write, or take it back."""
    for thing, step in ((old, -1), (new, 1)):
        if thing is not None:
            counts[thing.habit] = counts.get(thing.habit, 0) + step
            if not counts[thing.habit]:
                del counts[thing.habit]


habits = module.derived(of=things, build=count_habits, on_write=recount)


@module.genesis
def begin(ctx: Work, start: Start) -> None:
    """Fill the jars."""
    for number, jar in enumerate(start.jars):
        ctx[jars][Small(number)] = jar


@module.handler
def rob(ctx: Context, msg: Rob) -> None:
    """Move what the payer has not agreed to."""
    asset.move(ctx, msg.asset, msg.payer, ctx.sender, msg.amount)


@module.handler
def burn(ctx: Context, msg: Burn) -> None:
    """Read one row so many times."""
    burn_rows(ctx, msg.rows)


@module.handler
def pour(ctx: Context, msg: Pour) -> None:
    """Move drops between two jars."""
    require(msg.source != msg.target, Why.JARS_ARE_ONE)
    take_drops(ctx, msg.source, msg.drops)
    jar = ctx[jars].get(msg.target)
    ctx[jars][msg.target] = Jar(drops=Small((0 if jar is None else jar.drops) + msg.drops))


@module.handler
def spill(ctx: Context, msg: Spill) -> None:
    """Lose drops."""
    take_drops(ctx, msg.jar, msg.drops)


@module.handler
def make(ctx: Context, msg: Make) -> Id:
    """Add a thing under a derived id."""
    return add_thing(ctx, msg.due_at, msg.habit)


@module.handler
def squat(ctx: Context, msg: Squat) -> None:
    """Write a thing where the sender likes."""
    require(msg.habit < len(Habit), Why.HABIT_IS_UNKNOWN)
    ctx[things][msg.place] = Thing(owner=ctx.sender, habit=msg.habit)


@module.handler
def repair(ctx: Context, msg: Repair) -> None:
    """Write a thing once more."""
    require(msg.habit < len(Habit), Why.HABIT_IS_UNKNOWN)
    thing = ctx[things].one(msg.thing, Why.THING_NOT_FOUND)
    ctx[things][msg.thing] = replace(thing, due_at=msg.due_at, habit=msg.habit)


@module.handler
def tell(ctx: Context, msg: Tell) -> None:
    """Compare a number with the structure in memory, and that with the index."""
    count = ctx.structure(habits).get(msg.habit, 0)
    listed = ctx.page(by_habit, msg.habit, None, limit=count + 1)
    assert len(listed.rows) == count, "the index lists other things than the structure counts"
    require(msg.things == count, Why.COUNT_IS_ANOTHER)


@module.handler
def regret(ctx: Context, msg: Regret) -> None:
    """Have effects, and then refuse."""
    add_thing(ctx, msg.due_at, msg.habit)
    pour(ctx, Pour(source=FIRST_JAR, target=SECOND_JAR, drops=Small(1)))
    require(False, Why.IT_IS_REGRETTED)


@module.handler
def set_aside(ctx: Context, msg: SetAside) -> None:
    """Reserve value, and believe in it."""
    asset.reserve(ctx, msg.asset, msg.owner, module.vault, msg.amount)
    claim = ctx[claims].get((msg.owner, msg.asset))
    units = msg.amount + (0 if claim is None else claim.amount)
    ctx[claims][msg.owner, msg.asset] = Claim(amount=Amount.of(units, msg.amount.decimals))


@module.handler
def let_go(ctx: Context, msg: LetGo) -> None:
    """Release a part of a claim."""
    lessen_claim(ctx, msg.owner, msg.asset, msg.amount)
    asset.release(ctx, msg.asset, msg.owner, module.vault, msg.amount)


@module.handler
def deliver(ctx: Context, msg: Deliver) -> None:
    """Settle a part of a claim."""
    lessen_claim(ctx, msg.owner, msg.asset, msg.amount)
    asset.settle(ctx, msg.asset, msg.owner, module.vault, msg.payee, msg.amount)


@module.due(by_due)
def fall_due(ctx: Work, thing_id: Id, thing: Thing) -> None:
    """Behave as the habit says."""
    match Habit(thing.habit):
        case Habit.LINGERS:
            return
        case Habit.REFUSES:
            require(False, Why.THING_WILL_NOT)
        case Habit.BURNS:
            burn_rows(ctx, ctx.parameter(TRANSACTION_ROWS) + 1)
        case Habit.SPILLS:
            take_drops(ctx, FIRST_JAR, 1)
        case Habit.ROBS:
            asset.move(ctx, NO_ASSET, hold.module.vault, thing.owner, Amount("1.00"))
        case Habit.POSTPONES:
            later = Thing(owner=thing.owner, habit=Small(Habit.TIDY), due_at=after(ctx))
            ctx[things][thing_id] = later
            return
        case Habit.BREEDS:
            young = Thing(owner=thing.owner, habit=Small(Habit.TIDY), due_at=after(ctx))
            ctx[things].add(young)
        case Habit.TIDY:
            pass
    del ctx[things][thing_id]


def after(ctx: Work) -> Time:
    """A moment after this block."""
    return Time(ctx.time + LATER_MS)


def burn_rows(ctx: Work, rows: int) -> None:
    """Read the first jar so many times."""
    for _ in range(rows):
        ctx[jars].get(FIRST_JAR)


def take_drops(ctx: Work, number: Small, drops: int) -> None:
    """Take drops out of a jar that has them."""
    jar = ctx[jars].one(number, Why.JAR_IS_TOO_EMPTY)
    require(jar.drops >= drops, Why.JAR_IS_TOO_EMPTY)
    ctx[jars][number] = Jar(drops=Small(jar.drops - drops))


def lessen_claim(ctx: Work, owner: Address, held: AssetId, amount: Amount) -> None:
    """Write down that less is claimed."""
    claim = ctx[claims].one((owner, held), Why.CLAIM_IS_TOO_SMALL)
    is_there = amount.decimals == claim.amount.decimals and amount.units > 0
    require(is_there and amount <= claim.amount, Why.CLAIM_IS_TOO_SMALL)
    left = claim.amount - amount
    if left:
        ctx[claims][owner, held] = Claim(amount=Amount.of(left, amount.decimals))
    else:
        del ctx[claims][owner, held]


def add_thing(ctx: Context, due_at: Time, habit: Small) -> Id:
    """Add a thing of the sender's."""
    require(habit < len(Habit), Why.HABIT_IS_UNKNOWN)
    return ctx[things].add(Thing(owner=ctx.sender, habit=habit, due_at=due_at))


@module.conserves
def drops_stay(changes: Changes) -> bool:
    """All jars together lose and gain nothing in one transaction."""
    gained = sum(
        (0 if new is None else new.drops) - (0 if old is None else old.drops)
        for _, old, new in changes[jars]
    )
    return gained == 0


@module.invariant
def habits_are_counted(view: Audit) -> bool:
    """The structure in memory, the index and the rows tell the same."""
    counted = count_habits(view[things].items())
    listed = {
        habit.value: len(view.page(by_habit, Small(habit), None, limit=10_000).rows)
        for habit in Habit
    }
    kept = view.structure(habits)
    return kept == counted and {key: count for key, count in listed.items() if count} == counted


@module.invariant
def claims_are_reserved(view: Audit) -> bool:
    """What the module believes to have reserved is what assets say."""
    believed = Counter({key: claim.amount.units for key, claim in view[claims].items()})
    return believed == asset.reserved_by(view, module.vault)
