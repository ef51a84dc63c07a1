"""What CheckTx costs beyond its signature, and a recheck, in this process and without a socket.

Both are measured as a block's worth of frames in a row: read, judged and answered as the server
does it, but that signatures are checked in this process.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any, Final

from bench.workload import Workload
from tongbao.engines.cometbft.application import MachineApplication
from tongbao.engines.cometbft.calls import Call, Lane
from tongbao.engines.cometbft.codec import decode_request, encode_request
from tongbao.engines.cometbft.connection import ACCEPTED_FRAME, Batch
from tongbao.engines.cometbft.framing import Frames, frame
from tongbao.engines.cometbft.messages import CheckTxType, Message
from tongbao.engines.cometbft.requests import RequestCheckTx
from tongbao.engines.memory import keep_what_is_loaded
from tongbao.engines.solo.engine import wall_clock
from tongbao.kernel.envelope import Signature
from tongbao.kernel.transaction import check_signatures

COUNT: Final = 2_000
RUNS: Final = 5
FRAME_LIMIT: Final = 1 << 20


def measure(folder: Path) -> dict[str, float]:
    """Microseconds of CPU a transaction, medians of some runs; a warm one went before."""
    workload = Workload(folder, COUNT)
    keep_what_is_loaded()
    machine = workload.producer.machine
    application = MachineApplication(machine, workload.store, wall_clock)
    found: dict[str, list[float]] = {}

    def note(name: str, us: float) -> float:
        found.setdefault(name, []).append(us)
        return us

    for _ in range(RUNS + 1):
        wires = workload.payments(COUNT)
        signatures = [machine.parse(wire).signatures for wire in wires]
        alone = note("signature", us_of(partial(check_all, signatures)))
        new, again = (_frames(wires, kind) for kind in (CheckTxType.NEW, CheckTxType.RECHECK))
        whole = note("CheckTx", us_of(partial(answer, partial(map, application.check_tx), new)))
        note("CheckTx beyond the signature", whole - alone)
        note("recheck", us_of(partial(answer, application.check_txs, again)))
    workload.store.close()
    return {name: statistics.median(each[1:]) for name, each in found.items()}


def us_of(work: Callable[[], object]) -> float:
    """Microseconds of this process's CPU for one of `COUNT`, when `work` does all of them."""
    begun = process_time()
    work()
    return (process_time() - begun) * 1e6 / COUNT


def check_all(signatures: list[tuple[Signature, ...]]) -> None:
    """Check signatures, one transaction after the other."""
    for each in signatures:
        check_signatures(each)


def _frames(wires: list[bytes], kind: CheckTxType) -> bytes:
    return b"".join(frame(encode_request(RequestCheckTx(tx=wire, type=kind))) for wire in wires)


def answer(answers: Callable[[list[Any]], Iterator[Message]], data: bytes) -> None:
    """Read all frames, and make an answer to each; those that come together are one batch."""
    frames = Frames(FRAME_LIMIT)
    frames.feed(data)
    batch = Batch(Lane.MEMPOOL)
    batch.call = Call(Lane.MEMPOOL, answers)
    count = 0
    while (content := frames.next()) is not None:
        batch.requests.append(decode_request(content))
        if not batch.may_grow:
            batch.run(lambda: True)
            count += batch.answers.count(ACCEPTED_FRAME)
            batch.requests.clear()
            batch.answers.clear()
    assert count == COUNT
