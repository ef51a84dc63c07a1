"""Two due lists, a structure on the side, and a feature that ends planning."""

from collections import Counter
from collections.abc import Iterable

from msgspec.structs import replace

from tests.kernel.chores.messages import Behave, Chore, How, Plan, Why
from tongbao.kernel import Context, Id, Module, Work, require

module = Module(4_321, "chores", reasons=Why)
chores = module.table(1, key=Id, value=Chore)
chores_by_due = module.index(2, of=chores, by=lambda chore: chore.due_at)
errands = module.table(3, key=Id, value=Chore)
errands_by_due = module.index(4, of=errands, by=lambda errand: errand.due_at)
PLANS_END = module.feature("plans_end", "nothing is planned any more")


def count_all(rows: Iterable[tuple[Id, Chore]]) -> Counter[int]:
    """How many chores behave in each way."""
    return Counter(chore.how for _, chore in rows)


def follow(counts: Counter[int], key: Id, new: Chore | None, old: Chore | None) -> None:
    """Count one write; with new and old exchanged, take it back."""
    if old is not None:
        counts[old.how] -= 1
        if not counts[old.how]:
            del counts[old.how]
    if new is not None:
        counts[new.how] += 1


tally = module.derived(of=chores, build=count_all, on_write=follow)


@module.handler
def plan(ctx: Context, msg: Plan) -> None:
    """Write the chores and errands; it may fail after that."""
    require(not ctx.active(PLANS_END), Why.PLANS_HAVE_ENDED)
    for _ in range(msg.count):
        ctx[chores].add(Chore(due_at=msg.due_at, how=msg.hows))
        ctx[errands].add(Chore(due_at=msg.due_at, how=msg.hows))
    require(not msg.then_fail, Why.PLAN_FAILS)


@module.handler
def behave(ctx: Context, msg: Behave) -> None:
    """Write the chore anew."""
    chore = ctx[chores].one(msg.chore, Why.CHORE_NOT_FOUND)
    ctx[chores][msg.chore] = replace(chore, how=msg.how)


@module.due(chores_by_due)
def do_chore(ctx: Work, key: Id, chore: Chore) -> None:
    """Remove the chore, unless it behaves otherwise."""
    require(chore.how != How.REFUSES.value, Why.CHORE_REFUSES)
    if chore.how != How.LINGERS.value:
        del ctx[chores][key]


@module.due(errands_by_due)
def run_errand(ctx: Work, key: Id, errand: Chore) -> None:
    """Remove the errand."""
    del ctx[errands][key]
