"""Due work has a share of each block: what does not fit waits, and is never marked for it."""

from __future__ import annotations

from tongbao.kernel import Amount
from tongbao.kernel.kernel_module import marks
from tongbao.modules import hold
from tongbao.modules.hold import Place
from tongbao.modules.hold.rules import holds
from tongbao.testing import CNY, Chain, bob

HOLDS = 1_000
BLOCK_ROWS = 10_000
DAY_MS = 86_400_000


def left(chain: Chain) -> tuple[int, int]:
    """How many marks there are, and how many open holds."""
    machine = chain.machine
    marked = len(list(machine.audit(machine.registry.modules[0])[marks].items()))
    return marked, len(list(machine.audit(hold.module)[holds].items()))


def test_what_falls_due_and_does_not_fit_waits_for_the_next_block() -> None:
    """
    Given more expired holds than the work of a block can return,
    when blocks are made, the first of them with a payment,
    then each returns some, none is marked, the payment is applied, and in the end none is left.
    """
    chain = Chain(parameters={"kernel.block_rows": BLOCK_ROWS, "kernel.due_items": HOLDS})
    expires_at = chain.in_days(2)
    one = Place(payee=bob, asset=CNY, amount=Amount("0.01"), expires_at=expires_at)
    for _ in range(HOLDS // 250):
        chain.apply("alice", *[one] * 250)
    chain.advance(3 * DAY_MS)

    later = Place(payee=bob, asset=CNY, amount=Amount("1.00"), expires_at=chain.in_days(9))
    chain.apply("bob", later)
    counts = [left(chain)]
    while (due := chain.machine.next_due()) is not None and due <= chain.time:
        chain.block()
        counts.append(left(chain))

    assert [marked for marked, _ in counts] == [0] * len(counts)
    open_holds = [count for _, count in counts]
    assert HOLDS > open_holds[0] > 1
    assert open_holds == sorted(open_holds, reverse=True) and open_holds[-1] == 1
