"""Due work that goes wrong is marked and told; lists take turns; features begin at a height."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.kernel.chores import (
    PLANS_END,
    Behave,
    How,
    Plan,
    Why,
    chores,
    errands,
    module,
    tally,
)
from tongbao.kernel import Id, Small, Time
from tongbao.testing import Chain
from tongbao.testing.checks import structures_of

SOON_MS = 60_000


def planned(chain: Chain, how: How, count: int = 1) -> tuple[Id, ...]:
    """The ids of chores that fall due soon; as many errands do."""
    due_at = Time(chain.time + SOON_MS)
    chain.apply("alice", Plan(due_at=due_at, hows=Small(how), count=Small(count)))
    return chain.receipt.ids[::2]


def due_receipt(chain: Chain) -> Any:
    """What the last block's due work did; None without any."""
    due = chain.decided.due
    return None if due is None else msgspec.json.decode(due)


def left(chain: Chain) -> tuple[int, int]:
    """How many chores and errands there are."""
    view = chain.machine.audit(module)
    return len(list(view[chores].items())), len(list(view[errands].items()))


@pytest.mark.parametrize(
    ("how", "number"), [(How.REFUSES, Why.CHORE_REFUSES.number), (How.LINGERS, 0)]
)
def test_an_item_that_goes_wrong_is_marked_told_and_skipped(how: How, number: int) -> None:
    """
    Given a chore that refuses, or stays where it is, when it falls due,
    when blocks are made after that time,
    then the first tells that it is stuck and why, its row stays, no block wants it any more, and
    the block goes on with the errand.
    """
    chain = Chain(module)
    (made,) = planned(chain, how)
    chain.advance(SOON_MS)
    chain.block()
    stuck = {"@type": "kernel.stuck", "module": module.number, "row": made, "number": number}
    assert due_receipt(chain) == {"done": 1, "stuck": 1, "events": [stuck]}
    assert (left(chain), chain.machine.next_due()) == ((1, 0), None)
    chain.block()
    assert due_receipt(chain) is None


def test_a_change_of_the_row_clears_its_mark() -> None:
    """
    Given a chore that is marked stuck,
    when somebody changes its row so that it can be done,
    then it falls due again at once, and the next block does it.
    """
    chain = Chain(module)
    (made,) = planned(chain, How.REFUSES)
    chain.advance(SOON_MS)
    chain.block()
    chain.apply("bob", Behave(chore=made, how=Small(How.DONE)))
    assert chain.machine.next_due() is not None
    chain.block()
    assert due_receipt(chain) == {"done": 1}
    assert left(chain) == (0, 0)


def test_lists_take_turns_and_another_one_begins_at_each_height() -> None:
    """
    Given three chores and three errands that are due, and one item a block,
    when six blocks are made,
    then each does one, and after two both have had their turn, however many lists are empty.
    """
    chain = Chain(module, parameters={"kernel.due_items": 1})
    planned(chain, How.DONE, 3)
    chain.advance(SOON_MS)
    seen = []
    for _ in range(6):
        chain.block()
        seen.append(left(chain))
    assert [sum(counts) for counts in seen] == [5, 4, 3, 2, 1, 0]
    assert len(chain.machine.registry.dues) > 2
    assert seen[1] == (2, 2)


def test_lists_share_the_items_of_one_block() -> None:
    """
    Given three chores and three errands that are due, and four items a block,
    when a block is made,
    then two of each are done.
    """
    chain = Chain(module, parameters={"kernel.due_items": 4})
    planned(chain, How.DONE, 3)
    chain.advance(SOON_MS)
    chain.block()
    assert left(chain) == (1, 1)


def test_a_structure_on_the_side_follows_writes_and_what_is_taken_back() -> None:
    """
    Given chores of two kinds,
    when a plan is refused after it has written, a chore changes, and due work refuses and is done,
    then the structure is at every step what the rows say.
    """
    chain = Chain(module)
    (first, *_) = planned(chain, How.DONE, 2)
    planned(chain, How.REFUSES)
    assert kept(chain) == {How.DONE: 2, How.REFUSES: 1}
    failing = Plan(
        due_at=Time(chain.time + SOON_MS), hows=Small(0), count=Small(9), then_fail=Small(1)
    )
    with chain.refuses(Why.PLAN_FAILS):
        chain.apply("alice", failing)
    assert kept(chain) == {How.DONE: 2, How.REFUSES: 1}
    chain.apply("alice", Behave(chore=first, how=Small(How.LINGERS)))
    assert kept(chain) == {How.DONE: 1, How.REFUSES: 1, How.LINGERS: 1}
    chain.advance(2 * SOON_MS)
    chain.block()
    assert kept(chain) == {How.REFUSES: 1, How.LINGERS: 1}


def kept(chain: Chain) -> dict[int, int]:
    """The structure as it is kept, which is the one that its rows give."""
    found = chain.machine.audit(module).structure(tally)
    assert structures_of(chain.machine)[tally] == found
    return dict(found)


def test_a_feature_begins_at_its_height() -> None:
    """
    Given a chain whose genesis lets a feature begin at a height,
    when the same message is sent in the block before it, and in the one of that height,
    then it is applied, and then refused as the feature has it.
    """
    begins = Chain(module).machine.height + 2
    chain = Chain(module, features={PLANS_END.name: begins})
    planned(chain, How.DONE)
    assert chain.machine.height == begins - 1
    plan = Plan(due_at=Time(chain.time + SOON_MS), hows=Small(0), count=Small(1))
    with chain.refuses(Why.PLANS_HAVE_ENDED):
        chain.apply("alice", plan)
