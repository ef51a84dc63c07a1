"""Where the time of a payment goes, stage by stage, without threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import perf_counter, process_time
from typing import Any

from bench.workload import Workload
from tongbao.engines.memory import keep_what_is_loaded
from tongbao.engines.solo.engine import wall_clock
from tongbao.engines.solo.header import tree_root
from tongbao.kernel import Block, Count
from tongbao.kernel.envelope import decode_envelope
from tongbao.kernel.transaction import check_signatures, decode_transaction

BLOCK = 2_000


def measure(workload: Workload, count: int) -> dict[str, float]:
    """Microseconds of CPU a transaction by stage; the last is wall time."""
    keep_what_is_loaded()  # as the engines do
    wires = workload.payments(count)
    machine, producer = workload.producer.machine, workload.producer
    found: dict[str, float] = {}

    def stage(name: str, work: Callable[[], Any]) -> None:
        begun = process_time()
        work()
        found[name] = found.get(name, 0.0) + (process_time() - begun) * 1e6 / count

    decoder, chain = machine.registry.payload_decoder, machine.chain
    stage("decode", lambda: [decode_transaction(decoder, chain, wire, 65_536) for wire in wires])
    envelopes = [decode_envelope(wire) for wire in wires]
    stage("verify", lambda: check_signatures(tuple(one.signatures[0] for one in envelopes)))
    for wire in wires:
        machine.decode(wire)
    for at in range(0, count, BLOCK):
        part = tuple(wires[at : at + BLOCK])
        block = Block(
            height=Count(machine.height + 1),
            time=producer.next_time(wall_clock()),
            transactions=part,
        )
        stage("execute, receipts, state root", partial(machine.apply, block))
        stage("transaction root", partial(tree_root, part))
        machine.discard()
        begun = perf_counter()
        producer.make(part, wall_clock())
        stage("LMDB", lambda: producer.maintain(idle=True))
        key = "decide, sign, log, LMDB (wall)"
        found[key] = found.get(key, 0.0) + (perf_counter() - begun) * 1e6 / count
    return found
