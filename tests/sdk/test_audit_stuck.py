"""What is stuck is no damage."""

from __future__ import annotations

from tests.kernel.chores import module as chores
from tests.kernel.chores.messages import How, Plan
from tongbao.engines.solo import Producer
from tongbao.kernel import Count, Machine, Small, Time
from tongbao.kernel.kernel_module import marks
from tongbao.kernel.state import after_prefix
from tongbao.sdk.audit import Auditor, silent
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.store.memory import MemoryStore
from tongbao.testing import alice, named_key
from tongbao.testing.genesis import GENESIS_TIME, genesis_of, registry_with


def test_due_work_that_is_stuck_is_not_a_finding() -> None:
    """
    Given a chain on which a due item has refused, so that its due list skips it,
    when the chain is audited,
    then the mark is there and nothing is found.
    """
    registry, store = registry_with(chores), MemoryStore()
    genesis = genesis_of(registry)
    producer = Producer(Machine(registry, genesis, store, -1, 0), store, named_key("authority"))
    producer.begin()
    due_at = Time(GENESIS_TIME + 2_000)
    message = Plan(count=Small(1), due_at=due_at, hows=Small(How.REFUSES.value))
    expires = Time(GENESIS_TIME + 60_000)
    payload = payload_bytes(producer.machine.chain, alice, Count(1), expires, (message,))
    for at, wires in enumerate(((sign(payload, [named_key("alice")]),), ()), 1):
        producer.make(wires, GENESIS_TIME + 2_000 * at, even_empty=True)
        producer.maintain(idle=True)

    assert len(list(store.scan(marks.prefix, after_prefix(marks.prefix)))) > 0
    assert Auditor(genesis, producer, store, silent).run().findings == ()
